"""A replay by other settings than those of the running system is told."""

from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from client.activation import Present
from lab.shown.markdown import TerminalMarkdown
from lab.whatif.agreement import compare
from lab.whatif.replay import Replay, unlike
from lab.whatif.whatif import what_if
from lab.whatif.words import agreement_summary, curve_summary
from schemas.settings import Settings
from streams.index.base import GalleryState
from tests.unit.replayed import SETTINGS, active, entries, material


async def lying(settings: Settings, count: int = 20) -> GalleryState:
    return (await Replay.of(entries(count), None, settings)).state


async def test_the_setting_that_differs_is_named(tmp_path: Path) -> None:
    here = await lying(SETTINGS)
    assert unlike(here.model_copy(update={"epoch": "live"}), here) is None
    assert "PERENNIAL_TARGET_FPIR" in str(
        unlike(await lying(Settings(target_fpir=0.2, shard_by=("light",))), here)
    )
    assert "PERENNIAL_SHARD_BY" in str(unlike(await lying(Settings(target_fpir=0.05)), here))
    fitted = (await Replay.of(entries(), active(tmp_path), SETTINGS)).state
    assert unlike(fitted, here) is None
    assert unlike(None, here) is None
    assert unlike(await lying(SETTINGS, 19), here) is None, "more entries, other thresholds"


async def test_a_gallery_too_small_for_thresholds_is_alike() -> None:
    here = await lying(SETTINGS, 1)
    assert unlike(here, here) is None
    shards = here.models["test@000000000000"]
    with_one = {c: s.model_copy(update={"threshold": 0.3}) for c, s in shards.items()}
    other = here.model_copy(update={"models": {"test@000000000000": with_one}})
    assert "PERENNIAL_TARGET_FPIR" in str(unlike(other, here))


async def test_both_screens_say_so() -> None:
    live = await lying(Settings(target_fpir=0.05))
    console = Console(width=200)
    with Progress(disable=True) as bar, console.capture() as capture:
        agreement = await compare(Present(None, None, live), None, material(), SETTINGS, bar)
        console.print(TerminalMarkdown(agreement_summary(agreement, "plain", "plain")))
        found = await what_if(SETTINGS, None, material(), (), bar, live=live)
        console.print(TerminalMarkdown(curve_summary(found)))
    assert capture.get().count("set PERENNIAL_SHARD_BY here") == 2
