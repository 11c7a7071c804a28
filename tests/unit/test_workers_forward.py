"""A batch in which something fails: the rest comes through, and the guilty is found."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from schemas.errors import BadInput, DependencyDown
from workers.model.forward import Result, embed_each, grey, unit

Images = NDArray[np.uint8]
RAISES, NAN, SHORT = 201, 202, 203


class Model:
    """Vectors that tell the image; images of certain values make it fail."""

    version = "test@000000000000"
    input_size = (4, 4)

    def __init__(self, memory: int = 1000) -> None:
        self.memory = memory
        self.broken = False
        self.batches: list[int] = []

    def embed(self, images: Images) -> NDArray[np.float32]:
        self.batches.append(len(images))
        if self.broken:
            raise RuntimeError("device-side assert")
        if len(images) > self.memory:
            raise torch.OutOfMemoryError("out of memory")
        values = images[:, 0, 0, 0]
        if (values == RAISES).any():
            raise RuntimeError("cannot")
        angle = values.astype(np.float32) / 50
        vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        vectors[values == NAN] = np.nan
        vectors[values == SHORT] *= 0.5
        return vectors


def batch(*values: int) -> list[Images]:
    return [np.full((4, 4, 3), value, np.uint8) for value in values]


def told(results: list[Result]) -> list[object]:
    """The image that each vector tells, or why there is none."""
    return [
        r.reason if isinstance(r, BadInput) else round(float(np.arctan2(r[1], r[0])) * 50)
        for r in results
    ]


def test_a_batch_is_one_pass() -> None:
    model = Model()
    assert told(embed_each(model, batch(1, 2, 3))) == [1, 2, 3]
    assert model.batches == [3]


@pytest.mark.parametrize("bad", [RAISES, NAN, SHORT])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_bad_image_fails_alone(bad: int, at: int) -> None:
    values = [1, 2]
    values.insert(at, bad)
    expected: list[object] = [1, 2]
    expected.insert(at, "model_failed")
    assert told(embed_each(Model(), batch(*values))) == expected


def test_a_single_bad_image() -> None:
    assert told(embed_each(Model(), batch(RAISES))) == ["model_failed"]


def test_a_batch_too_large_for_memory_is_halved() -> None:
    model = Model(memory=2)
    assert told(embed_each(model, batch(1, 2, 3, 4, 5, 6, 7))) == [1, 2, 3, 4, 5, 6, 7]
    assert max(size for size in model.batches if size <= 2) == 2


def test_what_did_not_fit_is_told() -> None:
    told_of: list[int] = []
    embed_each(Model(memory=2), batch(*range(7)), told_of.append)
    assert told_of == [7, 3, 4]


def test_no_memory_at_all_blames_no_image() -> None:
    with pytest.raises(DependencyDown, match="no memory"):
        embed_each(Model(memory=0), batch(1, 2))


def test_a_broken_model_blames_no_image() -> None:
    model = Model()
    model.broken = True
    with pytest.raises(DependencyDown, match="grey image"):
        embed_each(model, batch(1, 2))


def test_a_model_that_always_gives_nan_blames_no_image() -> None:
    class Nan(Model):
        def embed(self, images: Images) -> NDArray[np.float32]:
            return np.full((len(images), 2), np.nan, np.float32)

    with pytest.raises(DependencyDown, match="grey image"):
        embed_each(Nan(), batch(1))


def test_unit() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 0], [np.nan, 1], [np.inf, 0], [1.1, 0]], np.float32)
    assert unit(vectors).tolist() == [True, True, False, False, False, False]
    assert grey(Model()).shape == (1, 4, 4, 3)
