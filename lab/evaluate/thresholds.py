"""Where the thresholds of a trial come from."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from lab.evaluate.scored import NearestOther, Scored
from recognition.evaluation import tpir_at_fpir
from recognition.threshold import open_set_threshold


class Rule(StrEnum):
    """Which impostors fix the threshold.

    ``oracle``: those of the test itself, so that the FPIR is met exactly: what the embedding could
    do. ``honest``: those of the calibrate part, other identities: what one would really get.
    ``gallery``: the entries of the test's gallery among themselves, as the stream does it.
    """

    ORACLE = "oracle"
    HONEST = "honest"
    GALLERY = "gallery"


class OperatingTarget(NamedTuple):
    """An FPIR that is asked for, and the rule that shall meet it."""

    fpir: float
    rule: Rule


Thresholds = dict[OperatingTarget, float]
"""NaN where there is nothing to take a threshold from."""


def thresholds_of(
    test: Scored, calibrate: Scored | None, impostors: NearestOther, fpirs: Iterable[float]
) -> Thresholds:
    """Return the thresholds of a trial; ``impostors`` is what the gallery rule goes by."""
    thresholds: Thresholds = {}
    for fpir in fpirs:
        thresholds[OperatingTarget(fpir, Rule.ORACLE)] = tpir_at_fpir(
            test.identified, fpir
        ).threshold
        thresholds[OperatingTarget(fpir, Rule.HONEST)] = (
            np.nan if calibrate is None else tpir_at_fpir(calibrate.identified, fpir).threshold
        )
        of_gallery = open_set_threshold(impostors.distance, impostors.label, fpir)
        thresholds[OperatingTarget(fpir, Rule.GALLERY)] = (
            np.nan if of_gallery is None else of_gallery
        )
    return thresholds
