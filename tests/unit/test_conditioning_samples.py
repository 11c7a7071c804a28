"""Which images a conditioning is made from, and which judge it."""

from pathlib import Path

import numpy as np
import pytest

from lab.images.manifest import ManifestRow
from lab.images.samples import EmbeddedParts, FitSamples, check, images_of, samples
from recognition.distance import FloatArray
from recognition.protocol import Indices, Part, Split
from schemas.errors import SetupError
from schemas.event import Background
from tests.unit.angles import split, trial

SEASONS = ("summer", "winter")


def row(label: str | None, shot: int, **background: str | float) -> ManifestRow:
    name = f"{label}-{shot}.png"
    return ManifestRow(name, Path(name), label, None, None, {**background})


def rows(labels: str, *, dates: str = "12") -> list[ManifestRow]:
    """One image of each label for each date."""
    return [row(label, i, date=date) for label in labels for i, date in enumerate(dates)]


def parts(
    train: list[int], gallery: list[int], probes: list[int], test: tuple[int, int] = (0, 1)
) -> Split:
    calibrate, tested = trial(gallery, probes), trial([test[0]], [test[1]])
    return split({Part.CALIBRATE: calibrate, Part.TEST: tested}, number=3, train=train)


def checked(given: list[ManifestRow], chosen: Split) -> None:
    images = images_of(chosen)
    check([given[i] for i in images], np.isin(images, chosen.train), chosen.number)


def divided(
    given: list[ManifestRow],
    chosen: Split,
    images: Indices,
    embeddings: FloatArray,
    backgrounds: list[Background],
) -> FitSamples:
    return samples(
        EmbeddedParts(
            data="herd",
            split=chosen.number,
            seen=np.isin(images, chosen.train),
            rows=[given[i] for i in images],
            embeddings=embeddings,
            backgrounds=backgrounds,
            model="tiny@1",
            refused={},
            variables=(),
            left_out={},
        )
    )


def test_train_is_seen_and_calibrate_is_held_out() -> None:
    given = rows("abcdefgh")
    chosen = parts([3, 2, 1, 0], [8, 10], [9, 11, 12, 13, 14, 15], test=(4, 5))
    images = images_of(chosen)
    assert images.tolist() == [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15]
    embeddings = np.arange(24, dtype=np.float32).reshape(12, 2)
    backgrounds: list[Background] = [{"at": int(image)} for image in images]
    parted = divided(given, chosen, images, embeddings, backgrounds)
    seen, held_out = parted.seen, parted.held_out
    assert seen.identities.tolist() == ["a", "a", "b", "b"]
    assert held_out.identities.tolist() == ["e", "e", "f", "f", "g", "g", "h", "h"]
    assert seen.identities.dtype.kind == "U"
    assert np.array_equal(seen.embeddings, embeddings[:4])
    assert np.array_equal(held_out.embeddings, embeddings[4:])
    assert [background["at"] for background in held_out.backgrounds] == list(range(8, 16))
    assert held_out.sessions == ["1", "2"] * 4


def test_what_was_not_embedded_has_no_part() -> None:
    given = rows("abcdefgh")
    chosen = parts([0, 1, 2, 3], [8, 10], [9, 11, 12, 13, 14, 15])
    left = np.array([0, 3, 8, 9, 10, 11, 12, 14])
    backgrounds: list[Background] = [{} for _ in left]
    parted = divided(given, chosen, left, np.ones((8, 2), np.float32), backgrounds)
    assert parted.seen.identities.tolist() == ["a", "b"]
    assert parted.held_out.identities.tolist() == ["e", "e", "f", "f", "g", "h"]


@pytest.mark.parametrize(
    ("labels", "train", "probes", "message"),
    [
        ("abcde", [0, 1], [2, 3, 4, 5, 6, 7, 8, 9], "train part of split 3 has 1 identities"),
        ("abcde", [0, 2], [4, 5, 6, 7, 8, 9], r"calibrate part of split 3 has 3 identities, 3 of"),
        ("abcdef", [0, 2], [4, 6, 8, 10], r"4 identities, 0 of them seen in two sessions"),
        ("abcdef", [0, 2], [4, 5, 6, 8, 10], r"4 identities, 1 of them seen in two sessions"),
    ],
)
def test_too_few_identities_are_counted_and_what_to_do_is_said(
    labels: str, train: list[int], probes: list[int], message: str
) -> None:
    chosen = parts(train, probes[:1], probes[1:])
    with pytest.raises(SetupError, match=message) as said:
        checked(rows(labels), chosen)
    assert "--splits" in str(said.value)


def test_just_enough_identities_are_enough() -> None:
    chosen = parts([0, 2], [4], [5, 6, 7, 8, 10])
    checked(rows("abcdef"), chosen)


def test_images_of_one_session_are_not_seen_again() -> None:
    given = rows("abcdef", dates="11")
    chosen = parts([0, 2], [4], [5, 6, 7, 8, 9, 10, 11])
    with pytest.raises(SetupError, match="0 of them seen in two sessions"):
        checked(given, chosen)
    undated = [row(one.label, i) for i, one in enumerate(given)]
    checked(undated, chosen)  # each image is a session of its own
