"""The gain of conditioning on groups, where what the groups do is planted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.gain import conditioning_gain
from tests.property.examples import examples

IDENTITIES, SHOTS, SIZE = 16, 6, 24
seeds = st.sampled_from(range(6))


def planted(seed: int, shift: float) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Return embeddings of identities, half of whose images a large common vector is added to."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(IDENTITIES), SHOTS)
    groups = np.tile(np.arange(SHOTS) % 2, IDENTITIES)
    own = rng.normal(size=(IDENTITIES, SIZE))[who] + 0.8 * rng.normal(size=(who.size, SIZE))
    moved = own + shift * groups[:, None] * rng.normal(size=SIZE)
    return moved.astype(np.float32), [f"i{i:02d}" for i in who], groups


@examples(5)
@given(seeds)
def test_a_shift_that_the_groups_tell_is_taken_out(seed: int) -> None:
    found = conditioning_gain(*planted(seed, 2.0))
    assert found is not None
    assert found.gain > 0.02
    assert found.low < found.gain < found.high
    assert found.gain == pytest.approx(found.conditioned - found.plain)


@examples(5)
@given(seeds)
def test_groups_that_do_nothing_gain_nothing(seed: int) -> None:
    found = conditioning_gain(*planted(seed, 0.0))
    assert found is not None
    assert abs(found.gain) < 0.1


@examples(5)
@given(seeds)
def test_one_group_is_no_conditioning(seed: int) -> None:
    embeddings, identities, groups = planted(seed, 2.0)
    found = conditioning_gain(embeddings, identities, np.zeros_like(groups))
    assert found is not None
    assert (found.gain, found.low, found.high) == (0, 0, 0)
    assert found.plain == found.conditioned


def test_images_in_no_group_take_part() -> None:
    embeddings, identities, groups = planted(0, 2.0)
    groups[::7] = -1
    found = conditioning_gain(embeddings, identities, groups)
    assert found is not None
    assert found.gain > 0


def test_a_fold_too_small_for_a_trial_has_no_gain() -> None:
    """Two identities are one a fold; and identities of one session cannot be known."""
    embeddings, identities, groups = planted(0, 2.0)
    assert conditioning_gain(embeddings[:12], identities[:12], groups[:12]) is None
    day = ["one day"] * len(identities)
    assert conditioning_gain(embeddings, identities, groups, sessions=day) is None
