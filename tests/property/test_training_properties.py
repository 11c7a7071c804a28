"""What holds for any background and any embedding."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from torch import nn

from recognition.fitted_variable import MIN_RANGE
from schemas.choices import Views
from schemas.variables import Continuous, Cyclic, Ordinal
from workers.model.views import embed_views
from workers.training.auxiliary import explained
from workers.training.directions import figure
from workers.training.linear_map import fold
from workers.training.variable_heads import VariableHead
from workers.training.variables import LearnedVariable, fit_variable

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
parts = st.floats(-2, 2, width=32)
OUTPUTS = arrays(np.float32, (4, 2), elements=parts)


@given(st.lists(numbers, min_size=2, unique=True), numbers)
def test_a_number_comes_back_from_its_code(values: list[float], value: float) -> None:
    assume(max(values) - min(values) >= MIN_RANGE)
    variable = fit_variable("t", values, Continuous(type="continuous"))
    assert variable.encode(value) * variable.fitted.unit + variable.fitted.centre == pytest.approx(
        value, rel=1e-9, abs=1e-6
    )


@given(
    st.lists(st.one_of(st.text(min_size=1), st.integers(), st.booleans()), min_size=3),
    st.data(),
)
def test_names_have_codes_of_their_own(values: list[str | int | bool], data: st.DataObject) -> None:
    values = [*values, "a", "b", "c"]
    variable = fit_variable("x", values)
    texts = {str(v).lower() if isinstance(v, bool) else str(v) for v in values}
    codes = {variable.encode(value) for value in values}
    assert codes == set(range(len(texts)))
    one = data.draw(st.sampled_from(values))
    assert variable.encode(one) in codes


@given(numbers, st.integers(-5, 5), st.floats(0.1, 1000))
def test_a_whole_number_of_turns_changes_nothing(value: float, turns: int, period: float) -> None:
    variable = LearnedVariable.restore("h", Cyclic(type="cyclic", period=period))
    head = VariableHead(3, variable)
    outputs = torch.tensor([[0.6, 0.8]])
    codes = [variable.encode(v) for v in (value, value + turns * period)]
    losses = [float(head.losses(outputs, torch.tensor([code]))) for code in codes]
    # The sum is rounded to the spacing of numbers of that size.
    spacing = np.spacing(abs(value) + 6 * period) / variable.fitted.unit
    assert losses[0] == pytest.approx(losses[1], abs=1e-5 + 4 * spacing)


@given(st.integers(2, 6), st.lists(parts, min_size=1, max_size=1), st.data())
def test_ranks_are_predicted_in_the_order_of_the_score(
    count: int, score: list[float], data: st.DataObject
) -> None:
    kind = Ordinal(type="ordinal", values=tuple(str(i) for i in range(count)))
    head = VariableHead(3, LearnedVariable.restore("a", kind))
    low, high = sorted([*score, data.draw(parts)])
    thresholds = torch.linspace(1, -1, count - 1)
    ranks = head.predict(torch.stack([low + thresholds, high + thresholds]))
    assert 0 <= ranks[0] <= ranks[1] <= count - 1


@given(st.lists(st.floats(-math.pi, math.pi), min_size=1), st.floats(-math.pi, math.pi))
def test_the_error_of_an_angle_is_that_of_its_chord(codes: list[float], guess: float) -> None:
    variable = LearnedVariable.restore("h", Cyclic(type="cyclic", period=2 * math.pi))
    found = figure(variable, np.array(codes), np.full(len(codes), guess))
    chords = [
        abs(complex(math.cos(c), math.sin(c)) - complex(math.cos(guess), math.sin(guess)))
        for c in codes
    ]
    expected = np.mean([2 * math.asin(min(chord / 2, 1)) for chord in chords])
    assert found.value == pytest.approx(expected, abs=1e-6)
    assert 0 <= found.value <= math.pi


@given(OUTPUTS, arrays(np.float32, (2,), elements=parts), OUTPUTS, OUTPUTS)
def test_a_folded_map_gives_what_the_map_gives(
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    learned: NDArray[np.float32],
    inputs: NDArray[np.float32],
) -> None:
    weight = weight[:2]
    folded, moved = fold(weight, bias, learned)
    values = inputs.astype(np.float64) @ weight.T + bias
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    mapped = (values / np.where(lengths > 0, lengths, 1)) @ learned.T
    direct = inputs.astype(np.float64) @ folded.T + moved
    # Where both are well away from zero, which has no direction.
    clear = (lengths[:, 0] > 0.1) & (np.linalg.norm(mapped, axis=1) > 0.1)
    for one, other in zip(mapped[clear], direct[clear], strict=True):
        assert one / np.linalg.norm(one) == pytest.approx(other / np.linalg.norm(other), abs=1e-4)


@given(
    arrays(np.float32, (8, 3), elements=parts),
    arrays(np.float32, (8, 2), elements=parts),
)
def test_what_is_explained_is_a_share_and_what_least_squares_says(
    embeddings: NDArray[np.float32], known: NDArray[np.float32]
) -> None:
    share = float(explained(torch.from_numpy(embeddings), torch.from_numpy(known)))
    assert -1e-6 <= share <= 1 + 1e-5
    outputs = embeddings.astype(np.float64) - embeddings.mean(axis=0)
    inputs = known.astype(np.float64) - known.mean(axis=0)
    total = (outputs**2).sum()
    if total < 1e-3:
        return
    best = np.linalg.lstsq(inputs, outputs, rcond=None)[0]
    # The ridge only ever takes away; without it least squares would say so much.
    assert share <= ((inputs @ best) ** 2).sum() / total + 1e-4


@given(arrays(np.float32, (2, 1, 4, 6), elements=st.floats(0, 1, width=32)), st.sampled_from(Views))
def test_views_are_taken_of_each_image_alone(images: NDArray[np.float32], views: Views) -> None:
    def network(batch: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(batch.flatten(1) + 0.1, dim=1)

    together = embed_views(network, torch.from_numpy(images), views)
    alone = [embed_views(network, torch.from_numpy(images[i : i + 1]), views) for i in range(2)]
    torch.testing.assert_close(together, torch.cat(alone))
    assert together.norm(dim=1).tolist() == pytest.approx([1, 1], abs=1e-5)
