"""Linear maps learned after training, on embeddings with a planted nuisance."""

import numpy as np
import pytest
from numpy.typing import NDArray

from schemas.errors import SetupError
from workers.training.linear_map import LinearMetric, fit_linear_map, fold, residuals, whiten
from workers.training.lmnn import fit_lmnn, lmnn_loss

Array = NDArray[np.float64]

DIMENSIONS, IDENTITIES, IMAGES = 12, 30, 10


def planted(seed: int = 0) -> tuple[Array, NDArray[np.intp]]:
    """Unit vectors; the light moves all images along two axes, more than identities differ."""
    rng = np.random.default_rng(seed)
    labels = np.arange(IDENTITIES * IMAGES) % IDENTITIES
    points = rng.normal(size=(IDENTITIES, DIMENSIONS))[labels]
    points += 0.5 * rng.normal(size=points.shape)
    points[:, :2] += 8 * rng.normal(size=(len(labels), 2))
    return points / np.linalg.norm(points, axis=1, keepdims=True), labels


def rank1(points: Array, labels: NDArray[np.intp]) -> float:
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    similar = unit @ unit.T - 9 * np.eye(len(unit))
    return float((labels[similar.argmax(axis=1)] == labels).mean())


@pytest.mark.parametrize("dimension", [6, DIMENSIONS])
@pytest.mark.parametrize("method", LinearMetric)
def test_identities_that_were_not_seen_are_found_better(
    method: LinearMetric, dimension: int
) -> None:
    points, labels = planted()
    other, names = planted(seed=1)
    learned = fit_linear_map(points, labels, method, dimension)
    assert learned.shape == (dimension, DIMENSIONS)
    assert learned.dtype == np.float32
    assert rank1(other @ learned.T, names) > rank1(other, names) + 0.2
    # The nuisance is what the map shrinks most.
    strength = np.linalg.norm(learned, axis=0)
    assert strength[:2].max() < 0.2 * strength[2:].mean()


@pytest.mark.parametrize("method", LinearMetric)
def test_where_nothing_is_to_be_learned_nothing_is_lost(method: LinearMetric) -> None:
    """Identities alike in every direction: what is learned from noise is left out."""
    rng = np.random.default_rng(0)
    labels = np.arange(160) % 20
    seen, unseen = (
        rng.normal(size=(20, 40))[labels] + 0.7 * rng.normal(size=(160, 40)) for _ in range(2)
    )
    learned = fit_linear_map(seen, labels, method, 40)
    assert rank1(unseen @ learned.T, labels) > rank1(unseen, labels) - 0.03


@pytest.mark.parametrize("method", LinearMetric)
def test_the_mean_norm_is_1_and_the_seed_decides(method: LinearMetric) -> None:
    points, labels = planted()
    first, again = (fit_linear_map(points, labels, method, 4, seed=3) for _ in range(2))
    assert np.linalg.norm(points @ first.T, axis=1).mean() == pytest.approx(1, rel=1e-5)
    assert first.tolist() == again.tolist()


@pytest.mark.parametrize("method", LinearMetric)
def test_the_names_of_identities_do_not_matter(method: LinearMetric) -> None:
    points, labels = planted()
    named = [f"cow {label:02}" for label in labels]
    numbers, names = (fit_linear_map(points, of, method, 4) for of in (labels, named))
    assert numbers.tolist() == names.tolist()


@pytest.mark.parametrize("method", LinearMetric)
@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0, 0, 0, 1], [0, 1, 2, 0]])
def test_very_few_images(method: LinearMetric, labels: list[int]) -> None:
    points = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [0, 0.8, 0.6]])
    learned = fit_linear_map(points, labels, method, 3)
    assert learned.shape == (3, 3)
    assert np.isfinite(learned).all()


@pytest.mark.parametrize("method", LinearMetric)
def test_more_dimensions_than_images_and_identical_images(method: LinearMetric) -> None:
    points = np.eye(6, 20)[[0, 0, 1, 1, 2, 2, 3, 3]]
    learned = fit_linear_map(points, [0, 0, 1, 1, 2, 2, 3, 3], method, 20)
    assert np.isfinite(learned).all()


@pytest.mark.parametrize("method", LinearMetric)
def test_more_images_than_are_used(method: LinearMetric, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.training.linear_map._MAX_POINTS", 120)
    points, labels = planted()
    other, names = planted(seed=1)
    learned = fit_linear_map(points, labels, method, 6)
    assert rank1(other @ learned.T, names) > 0.5


@pytest.mark.parametrize(
    ("labels", "dimension", "why"),
    [
        ([0, 0, 0, 0], 2, "two identities"),
        ([0, 1, 2, 3], 2, "two images of one"),
        ([0, 0, 1, 1], 0, "take 1 to 3"),
        ([0, 0, 1, 1], 4, "take 1 to 3"),
    ],
)
def test_what_cannot_be_learned(labels: list[int], dimension: int, why: str) -> None:
    points = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [0, 0.8, 0.6]])
    with pytest.raises(SetupError, match=why):
        fit_linear_map(points, labels, LinearMetric.NCA, dimension)


def test_embeddings_that_are_all_the_same() -> None:
    with pytest.raises(SetupError, match="differ"):
        fit_linear_map(np.ones((4, 3)), [0, 0, 1, 1], LinearMetric.MAHALANOBIS, 2)


def test_fold_by_hand() -> None:
    weight = np.array([[1, 2], [3, 4]], np.float32)
    learned = np.array([[1, 1]], np.float32)
    folded, bias = fold(weight, np.array([10, 20], np.float32), learned)
    assert folded.tolist() == [[4, 6]]
    assert bias.tolist() == [30]


def test_whitening_makes_what_varies_within_identities_round() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(4000) % 40
    spread = np.array([3, 1, 0.5])
    points = 3 * rng.normal(size=(40, 3))[labels] + spread * rng.normal(size=(4000, 3))
    for power in (0, 0.5, 1):
        mapped = whiten(points, labels, 3, power)
        deviations = np.sqrt(np.linalg.eigvalsh(np.cov(residuals(points @ mapped.T, labels).T)))
        assert deviations == pytest.approx(np.sort(spread ** (1 - power)), rel=0.06)


def test_residuals() -> None:
    points = np.array([[1.0], [3], [10]])
    assert residuals(points, np.array([0, 0, 1])).tolist() == [[-1], [1], [0]]


def test_lmnn_loss_by_hand() -> None:
    """On a line: 0 and 1 are targets of each other, 1.2 and 5 are impostors of 0 and of 1."""
    points = np.array([[0.0], [1], [1.2], [5]])
    targets = np.array([[0, 1], [1, 0]])
    impostors = np.array([[0, 2], [0, 3], [1, 2], [1, 3]])
    # Pull: 1 + 1. Push: of 0, 1 + 1 - 1.44; of 1, 1 + 1 - .04; from 5 both are far enough.
    loss, gradient = lmnn_loss(np.array([[1.0]]), points, targets, impostors)
    assert loss == pytest.approx((0.5 * 2 + 0.5 * (0.56 + 1.96)) / 2)
    # The loss is l²(.5·2 + .5·(1 - 1.44 + 1 - .04)) + 1, over two, at l = 1.
    assert gradient == pytest.approx([2 * (1 + 0.5 * 0.52) / 2])


def test_lmnn_gradient() -> None:
    rng = np.random.default_rng(0)
    points, learned = rng.normal(size=(8, 3)), rng.normal(size=(2, 3))
    targets = np.array([[0, 1], [0, 2], [1, 0], [5, 6]])
    impostors = np.array([[0, 4], [1, 4], [1, 5], [2, 7], [5, 1], [5, 3]])
    _, gradient = lmnn_loss(learned, points, targets, impostors)
    for at in range(6):
        step = np.zeros(6)
        step[at] = 1e-6
        ahead, behind = (
            lmnn_loss((learned.ravel() + s).reshape(2, 3), points, targets, impostors)[0]
            for s in (step, -step)
        )
        assert (ahead - behind) / 2e-6 == pytest.approx(gradient[at], rel=1e-5)


def test_lmnn_turns_to_the_axis_that_tells_identities_apart() -> None:
    """Two identities at 0 and 1 on one axis, all images strewn over ±10 along the other.

    The other axis keeps some weight: it, too, keeps images of different identities apart.
    """
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    points = np.stack([labels + 0.05 * rng.normal(size=60), rng.uniform(-10, 10, 60)], axis=1)
    learned = fit_lmnn(points, labels, np.array([[0.7, 0.7]]), 40)
    assert abs(learned[0, 0]) > 2 * abs(learned[0, 1])
