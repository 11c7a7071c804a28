"""The floor: the raw forward pass, nothing else running. Run as a process of its own."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np

from schemas.settings import Settings, load_settings
from workers.model.malloc import keep_freed_memory
from workers.model.model import EmbeddingModel, load_model
from workers.service.embedder import share

SECONDS = 6.0


def images_per_second(
    model: EmbeddingModel, lanes: int, batch: int, seconds: float = SECONDS
) -> float:
    """Return the images/s of ``lanes`` passes at the same time, each of ``batch`` images."""
    shape = (batch, *model.input_size, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    def passes(lasting: float) -> int:
        done, until = 0, perf_counter() + lasting
        while perf_counter() < until:
            model.embed(images)
            done += 1
        return done

    with ThreadPoolExecutor(lanes) as pool:
        list(pool.map(passes, [seconds / 3] * lanes))
        started = perf_counter()
        done = sum(pool.map(passes, [seconds] * lanes))
        return done * batch / (perf_counter() - started)


def main() -> None:
    """Print the images/s as JSON: as a worker arranges its threads, and in one pass of all."""
    settings = load_settings()
    keep_freed_memory()
    lanes, threads = share(settings)
    batch = settings.batch_size
    as_worker = images_per_second(_model(settings, threads), lanes, batch)
    one_pass = images_per_second(_model(settings, lanes * threads), 1, batch)
    json.dump(
        {
            "lanes": lanes,
            "threads": threads,
            "batch": batch,
            "as_worker": as_worker,
            "one_pass": one_pass,
        },
        sys.stdout,
    )


def _model(settings: Settings, threads: int) -> EmbeddingModel:
    return load_model(settings.model_copy(update={"threads": threads}))


if __name__ == "__main__":
    main()
