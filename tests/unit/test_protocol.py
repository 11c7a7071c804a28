import numpy as np
import pytest

from recognition.protocol import MIXED, Part, Split, Trial, make_splits, random_trial, sessions_of

HERD = [f"cow{i:02d}" for i in range(20) for _ in range(6)]
DAYS = [f"2025-04-{day:02d}" for _ in range(20) for day in (1, 1, 2, 2, 3, 3)]


def names(images: np.ndarray) -> set[str]:
    return {HERD[i] for i in images}


def test_the_identities_are_divided_two_one_two() -> None:
    for split in make_splits(HERD, DAYS):
        trained = names(split.train)
        calibrate, test = (split.trials[MIXED, part] for part in (Part.CALIBRATE, Part.TEST))
        assert (len(trained), len(names(calibrate.probes)), len(names(test.probes))) == (8, 4, 8)
        assert (len(names(calibrate.gallery)), len(names(test.gallery))) == (3, 6)


def test_the_gallery_has_so_many_shots_of_each_and_the_rest_of_their_sessions_is_left_out() -> None:
    for trial in make_splits(HERD, DAYS, shots=3, count=1)[0].trials.values():
        enrolled = [HERD[i] for i in trial.gallery]
        # One of three days at most: two images of it.
        assert {enrolled.count(name) for name in set(enrolled)} == {2}
        known = [HERD[i] for i in trial.probes if HERD[i] in set(enrolled)]
        assert {known.count(name) for name in set(known)} == {4}


def test_images_without_a_session_are_sessions_of_their_own() -> None:
    images = sessions_of(["a", "a", "b", "a"], ["", "", "x", "y"])
    assert [[i.tolist() for i in own] for own in images.values()] == [[[0], [1], [3]], [[2]]]


def test_numbers_and_scenarios() -> None:
    splits = make_splits(HERD, DAYS, count=3)
    assert [split.number for split in splits] == [0, 1, 2]
    assert splits[0].scenarios == (MIXED,)
    only_calibrate = {("cross", Part.CALIBRATE): splits[0].trials[MIXED, Part.TEST]}
    assert Split(0, splits[0].train, only_calibrate).scenarios == ()


def test_the_seed_decides() -> None:
    def drawn(seed: int) -> list[list[int]]:
        return [split.train.tolist() for split in make_splits(HERD, DAYS, seed=seed)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert len({tuple(train) for train in drawn(1)}) == 5


def test_an_identity_of_one_session_can_only_be_unknown() -> None:
    images = sessions_of(["a", "a", "b", "b", "b"], ["x", "y", "z", "z", "z"])
    for seed in range(20):
        trial: Trial = random_trial(images, 1.0, 5, np.random.default_rng(seed))
        assert trial.gallery.size == 1
        assert trial.gallery[0] in (0, 1)
        assert sorted([*trial.gallery, *trial.probes]) == [0, 1, 2, 3, 4]


def test_those_least_strange_are_enrolled() -> None:
    # Of a, day x is strange on the whole, whatever its best image; the shots are two of day y.
    images = sessions_of(list("aaaaaab"), ["x", "x", "x", "y", "y", "y", ""])
    strangeness = np.array([0.0, 1, 1, 0.5, 0.5, 0.6, 9])
    for seed in range(20):
        trial = random_trial(images, 0.5, 2, np.random.default_rng(seed), strangeness)
        assert trial.gallery.size == 2
        assert set(trial.gallery.tolist()) < {3, 4, 5}
        assert trial.probes.tolist() == [0, 1, 2, 6]


def test_at_most_half_of_the_sessions_are_enrolled_however_alike_they_are() -> None:
    images = sessions_of(["a"] * 5 + ["b"], [""] * 6)
    strangeness = np.array([4.0, 3, 2, 1, 0, 9])
    trial = random_trial(images, 0.5, 9, np.random.default_rng(0), strangeness)
    assert trial.gallery.tolist() == [3, 4]
    assert trial.probes.tolist() == [0, 1, 2, 5]


@pytest.mark.parametrize(
    ("labels", "sessions", "options", "why"),
    [
        (["a"], [], {}, "1 labels, but 0 sessions"),
        (HERD, DAYS, {"count": 0}, "at least 1, got 0 and 5"),
        (HERD, DAYS, {"shots": 0}, "at least 1, got 5 and 0"),
        (["a", "b", "b"], ["x", "x", "y"], {}, "must be known"),
        (HERD, ["one day"] * len(HERD), {}, "0 of them of two sessions"),
    ],
)
def test_misuse(labels: list[str], sessions: list[str], options: dict[str, int], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make_splits(labels, sessions, **options)


def test_ten_identities_of_two_sessions_are_enough() -> None:
    labels = [str(i) for i in range(10) for _ in range(2)]
    for seed in range(20):
        assert len(make_splits(labels, [""] * 20, seed=seed)) == 5


def test_the_images_of_parts_come_once_and_in_order() -> None:
    trials = {
        ("mixed", Part.TEST): Trial(np.array([5, 1]), np.array([2])),
        ("cross", Part.TEST): Trial(np.array([1]), np.array([7, 2])),
        ("mixed", Part.CALIBRATE): Trial(np.array([9]), np.array([8])),
    }
    split = Split(0, np.array([0]), trials)
    assert split.images(Part.TEST).tolist() == [1, 2, 5, 7]
    assert split.images(Part.CALIBRATE, Part.TEST).tolist() == [1, 2, 5, 7, 8, 9]
    assert split.images(Part.TRAIN).tolist() == []
