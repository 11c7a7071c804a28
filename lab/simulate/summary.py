"""From what became of every frame to the report of a variant."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from lab.simulate.oracle import ACTOR
from lab.simulate.report import Curves, DecisionCurve, Entries, SystemReport
from lab.simulate.system import Flags, Outcomes, Simulated
from lab.simulate.variants import SystemVariant
from schemas.gallery import GalleryEntry, Status
from streams.matching import self_enrolment

_POINTS = 200
_MIN_WINDOW = 20

DECISIONS_PER_HOUR: Final = 400
"""What a practised person answers, by the field's own reckoning."""

QUARTERS: Final = 4
MIN_FRAMES: Final = 10
"""So many frames must a share be of, for it to be drawn."""


def share(counted: Flags, among: Flags, least: int = 1) -> float | None:
    """Return the share of those ``counted`` among some; None where these are too few."""
    of = np.count_nonzero(among)
    return None if of < least else float(np.count_nonzero(counted & among) / of)


def by_quarter(counted: Flags, among: Flags) -> tuple[float | None, ...]:
    """Return the share in each quarter of the frames."""
    parts = zip(np.array_split(counted, QUARTERS), np.array_split(among, QUARTERS), strict=True)
    return tuple(share(own, of) for own, of in parts)


def trailing(
    counted: Flags, among: Flags, window: int, ends: Sequence[int]
) -> tuple[float | None, ...]:
    """Return the share in the ``window`` frames up to each of ``ends``, that one left out.

    None where fewer than :data:`MIN_FRAMES` frames are among those.
    """
    least = min(MIN_FRAMES, window)
    return tuple(
        share(counted[max(0, end - window) : end], among[max(0, end - window) : end], least)
        for end in ends
    )


def window_of(frames: int) -> int:
    """Return how many frames a point of the curves is about: a tenth of them."""
    return max(_MIN_WINDOW, round(frames / 10))


def by_decisions(outcomes: Outcomes) -> DecisionCurve:
    """Return how much has come right after how many decisions, at up to 200 frames of all."""
    frames = len(outcomes.reviewed)
    ends = np.unique(np.linspace(1, frames, min(_POINTS, frames)).astype(int))
    decisions, right = np.cumsum(outcomes.reviewed), np.cumsum(outcomes.settled) / frames
    return DecisionCurve(
        decisions=(0, *decisions[ends - 1].tolist()), right=(0.0, *right[ends - 1].tolist())
    )


def summarise(
    name: str,
    variant: SystemVariant,
    simulated: Simulated,
    labels: Mapping[str, str],
    mad_cutoff: float,
) -> SystemReport:
    """Return what a simulation came to.

    Args:
        labels: identity by event id, in the order of the frames.
        mad_cutoff: what MAD takes out where it is on.
    """
    outcomes = simulated.outcomes
    everything = np.ones_like(outcomes.reviewed)
    who = np.array(list(labels.values()))
    active = variant.conditioning.active
    decisions = int(np.count_nonzero(outcomes.reviewed))

    def count(entries: Iterable[GalleryEntry]) -> Entries:
        own = Counter(entry.identity == labels[entry.entry_id] for entry in entries)
        return Entries(right=own[True], wrong=own[False])

    return SystemReport(
        name=name,
        parts=variant.parts,
        conditioning=variant.conditioning.name,
        version=None if active is None else active.version,
        mad=mad_cutoff if variant.mad else None,
        include=variant.include,
        wrong_answers=variant.wrong,
        decisions=decisions,
        minutes=60 * decisions / DECISIONS_PER_HOUR,
        review=float(outcomes.reviewed.mean()),
        review_by_quarter=by_quarter(outcomes.reviewed, everything),
        error=share(outcomes.wrong, outcomes.identified),
        error_by_quarter=by_quarter(outcomes.wrong, outcomes.identified),
        wrong_of_all=float(1 - outcomes.settled.mean()),
        accuracy=by_quarter(outcomes.right, everything)[-1],
        strangers=int(np.count_nonzero(outcomes.stranger)),
        stranger_identities=len(np.unique(who[outcomes.stranger])),
        fpir_met=share(outcomes.identified, outcomes.stranger),
        answered=count(e for e in simulated.enrolments if e.actor == ACTOR),
        included=count(e for e in simulated.enrolments if e.actor == self_enrolment.ACTOR),
        gallery=count(e for e in simulated.entries if e.status is Status.ACTIVE),
        quarantined={why: count(entries) for why, entries in _gone(simulated).items()},
        frames_per_s=len(labels) / simulated.seconds,
        curves=_curves(simulated),
        by_decisions=by_decisions(outcomes),
    )


def _gone(simulated: Simulated) -> Mapping[str, list[GalleryEntry]]:
    by_reason: dict[str, list[GalleryEntry]] = defaultdict(list)
    for entry in simulated.entries:
        if entry.status is Status.QUARANTINED:
            by_reason[entry.reason].append(entry)
    return by_reason


def _curves(simulated: Simulated) -> Curves:
    outcomes = simulated.outcomes
    frames = len(outcomes.reviewed)
    window = window_of(frames)
    ends = np.unique(np.linspace(min(window, frames), frames, _POINTS).astype(int)).tolist()
    everything = np.ones_like(outcomes.reviewed)
    return Curves(
        frames=tuple(ends),
        review=trailing(outcomes.reviewed, everything, window, ends),
        error=trailing(outcomes.wrong, outcomes.identified, window, ends),
    )
