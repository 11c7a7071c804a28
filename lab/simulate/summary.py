"""From what became of every frame to the report of a variant."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from lab.simulate import system
from lab.simulate.outcomes import Simulated, by_quarter, share, trailing
from lab.simulate.report import Curves, Entries, SystemReport
from lab.simulate.variants import SystemVariant
from schemas.gallery import GalleryEntry, Status
from streams.matching import self_enrolment

_POINTS = 200
_MIN_WINDOW = 20


def window_of(frames: int) -> int:
    """Return how many frames a point of the curves is about: a tenth of them."""
    return max(_MIN_WINDOW, round(frames / 10))


def summarise(
    name: str,
    variant: SystemVariant,
    simulated: Simulated,
    labels: Mapping[str, str],
    mad_cutoff: float,
) -> SystemReport:
    """Return what a simulation came to.

    Args:
        name: of the variant.
        variant: what ran.
        simulated: its end.
        labels: identity by event id, in the order of the frames.
        mad_cutoff: what MAD takes out where it is on.
    """
    outcomes = simulated.outcomes
    everything = np.ones_like(outcomes.reviewed)
    who = np.array(list(labels.values()))
    active = variant.conditioning.active

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
        review=float(outcomes.reviewed.mean()),
        review_by_quarter=by_quarter(outcomes.reviewed, everything),
        error=share(outcomes.wrong, outcomes.identified),
        error_by_quarter=by_quarter(outcomes.wrong, outcomes.identified),
        accuracy=by_quarter(outcomes.right, everything)[-1],
        strangers=int(np.count_nonzero(outcomes.stranger)),
        stranger_identities=len(np.unique(who[outcomes.stranger])),
        fpir_met=share(outcomes.identified, outcomes.stranger),
        answered=count(e for e in simulated.enrolments if e.actor == system.ACTOR),
        included=count(e for e in simulated.enrolments if e.actor == self_enrolment.ACTOR),
        gallery=count(e for e in simulated.entries if e.status is Status.ACTIVE),
        quarantined={why: count(entries) for why, entries in _gone(simulated).items()},
        frames_per_s=len(labels) / simulated.seconds,
        curves=_curves(simulated),
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
