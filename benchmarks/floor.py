"""The floor: the raw forward pass, nothing else running. Run as a process of its own."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, process_time

import numpy as np

from schemas.settings import Settings, load_settings
from workers.model.malloc import keep_freed_memory
from workers.model.model import EmbeddingModel, load_model
from workers.service.embedder import share

SECONDS = 6.0
TRIED_S = 2.0
BATCHES = (1, 2, 4, 8, 16)


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
    """Print the images/s as JSON: of the best batch, as a worker arranges its threads."""
    settings = load_settings()
    keep_freed_memory()
    lanes, threads = share(settings)
    model = _model(settings, lanes, threads)
    tried = [batch for batch in BATCHES if batch <= settings.most_in_batch]
    rates = {batch: images_per_second(model, lanes, batch, TRIED_S) for batch in tried}
    best = max(rates, key=rates.__getitem__)
    began = process_time(), perf_counter()
    as_worker = images_per_second(model, lanes, best)
    spent = (process_time() - began[0]) / (perf_counter() - began[1])
    one_pass = images_per_second(_model(settings, 1, lanes * threads), 1, best)
    json.dump(
        {
            "runtime": model.runtime,
            "lanes": lanes,
            "threads": threads,
            "batch": best,
            "as_worker": as_worker,
            "one_pass": one_pass,
            "processor_ms_an_image": 1000 * spent / as_worker,
        },
        sys.stdout,
    )


def _model(settings: Settings, lanes: int, threads: int) -> EmbeddingModel:
    return load_model(settings.model_copy(update={"threads": threads}), lanes)


if __name__ == "__main__":
    main()
