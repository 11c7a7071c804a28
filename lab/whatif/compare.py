"""Replays recent probes by what is active and by what is to be, and compares."""

from collections.abc import Mapping

from rich.progress import Progress

from client.activation import Present
from client.recent import Material
from lab.whatif.agreement import Agreement, agree
from lab.whatif.replay import Replay
from lab.whatif.unlike import unlike
from recognition.cluster import cluster_name
from schemas.conditioning import ArtefactRef
from schemas.errors import SetupError
from schemas.settings import Settings
from streams.conditioning.placement import Placement


class Incomparable(SetupError):
    """What is active cannot be replayed here; what is to be can."""


async def compare(
    present: Present,
    new: ArtefactRef | None,
    material: Material,
    settings: Settings,
    bar: Progress,
) -> Agreement:
    """Answer the probes under both conditionings, against the present gallery.

    Raises:
        Incomparable: the artefact that is active cannot be read.
        SetupError: the new one cannot.
    """
    probes, entries = material.probes.embeddings, material.gallery.entries.values()
    task = bar.add_task("replaying", total=2 * len(probes))
    after = await Replay.of(entries, new, settings)
    try:
        before = await Replay.of(entries, present.active, settings)
    except SetupError as error:
        raise Incomparable(f"no comparison with what is active: {error}") from error
    by_after = after.placement.artefact is not None
    return agree(
        await before.answers(probes, lambda: bar.advance(task)),
        await after.answers(probes, lambda: bar.advance(task)),
        probes=len(probes) + material.probes.unusable,
        descriptions=descriptions_of((after if by_after else before).placement),
        by_after=by_after,
        identities=material.identities,
    ).model_copy(update={"unlike": unlike(present.state, before.state)})


def descriptions_of(placement: Placement) -> Mapping[str, str]:
    """Return what is said of each fitted cluster; nothing of plain ones, whose names say it."""
    artefact = placement.artefact
    if artefact is None:
        return {}
    descriptions = artefact.conditioning.clusters.descriptions
    return {cluster_name(number): words for number, words in enumerate(descriptions)}
