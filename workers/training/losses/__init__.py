"""Losses: what makes embeddings of one identity close and of others far.

A loss is one class in one file with its paper in the docstring; the registry names them all, and
:func:`build_loss` builds a weighted sum of them from a word such as ``subcenter-arcface+triplet``.
"""

from workers.training.losses.base import MetricLoss
from workers.training.losses.registry import LOSSES, build_loss, parse_loss

__all__ = ["LOSSES", "MetricLoss", "build_loss", "parse_loss"]
