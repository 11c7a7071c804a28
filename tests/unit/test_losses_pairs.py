"""Masks that can be read off."""

import torch
from torch import nan

from tests.unit.loss_batches import at
from workers.training.losses.base import (
    has_pairs,
    mean_where,
    means_of,
    negatives,
    positives,
    sets_of,
    squared_distances,
)
from workers.training.losses.ladder import near_background
from workers.training.losses.magnet import clusters


def test_a_row_is_no_positive_of_itself() -> None:
    labels = torch.tensor([5, 7, 5])
    assert positives(labels).int().tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert negatives(labels).int().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]


def test_a_comparison_needs_two_of_one_identity_and_another_identity() -> None:
    assert has_pairs(torch.tensor([0, 0, 1]))
    assert not has_pairs(torch.tensor([0, 1, 2]))
    assert not has_pairs(torch.tensor([3, 3, 3]))
    assert not has_pairs(torch.tensor([], dtype=torch.int64))


def test_equal_points_are_at_zero_and_pull_nothing() -> None:
    x = torch.tensor([[0.6, 0.8], [0.6, 0.8], [0.0, 1.0]], requires_grad=True)
    distances = squared_distances(x, x)
    assert distances[0, 1] == 0
    torch.testing.assert_close(distances[0, 2], torch.tensor(0.36 + 0.04))
    torch.autograd.backward(distances[0, 1])
    assert x.grad is not None
    assert not x.grad.any()


def test_sets_share_identity_and_group() -> None:
    identity, inside = sets_of(torch.tensor([1, 0, 1, 1]), torch.tensor([2, 2, 0, 2]))
    assert identity.tolist() == [0, 1, 1]
    assert inside.int().tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1]]
    x = torch.tensor([[1.0], [2.0], [3.0], [5.0]])
    assert means_of(x, inside).tolist() == [[2], [3], [3]]


def test_lone_rows_of_an_identity_form_one_cluster() -> None:
    labels = torch.tensor([0, 0, 0, 0, 1])
    identity, inside = clusters(labels, torch.tensor([0, 0, 1, 2, 0]))
    assert identity.tolist() == [0, 0, 1]
    assert inside.int().tolist() == [[0, 0, 1, 1, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 1]]


def test_the_mean_of_nothing_is_zero_with_a_graph() -> None:
    values = at([0, 90], [0, 0]).embeddings
    assert mean_where(values, torch.tensor([[True, True], [False, False]])).item() == 0.5
    nothing = mean_where(values, torch.zeros_like(values, dtype=torch.bool))
    assert nothing.item() == 0
    assert nothing.requires_grad


def test_near_backgrounds_differ_no_more_than_the_mean_pair() -> None:
    gaps = near_background(torch.tensor([[0.0], [0.25], [1.0]]))  # 1/4, 1, 3/4: the mean is 2/3
    assert gaps.int().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_what_is_not_known_of_a_background_is_left_out() -> None:
    near = near_background(torch.tensor([[0.0, nan], [0.0, 9.0], [1.0, nan], [nan, nan]]))
    assert near[0, 1]  # the second variable is known of one only
    assert not near[0, 2]
    assert not near[3].any()


def test_where_all_backgrounds_are_alike_all_are_near_and_without_any_none_is() -> None:
    assert near_background(torch.full((3, 2), 0.1)).all()
    assert not near_background(torch.zeros(3, 0)).any()
