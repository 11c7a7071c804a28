"""The curve: more false matches for less review, on probes that lie farther and farther off."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.progress import Progress

from client.gallery import Gallery
from client.recent import Material, Probes
from lab.shown.markdown import TerminalMarkdown
from lab.whatif.answers import Source
from lab.whatif.whatif import FPIRS, WhatIf, what_if
from lab.whatif.words import curve_summary, draw, write
from schemas.conditioning import ArtefactRef
from schemas.errors import SetupError
from schemas.gallery import Status
from streams.index.base import GalleryState
from tests.gallery_entries import MODEL, entry
from tests.services.kafka import embedding
from tests.unit.replayed import (
    NOBODY,
    SETTINGS,
    active,
    centre,
    entries,
    light,
    material,
    probes,
    said,
)


async def curve(
    given: Material,
    state: ArtefactRef | None = None,
    share: float | None = None,
    live: GalleryState | None = None,
) -> WhatIf:
    with Progress(disable=True) as bar:
        return await what_if(SETTINGS, state, given, FPIRS, bar, share=share, live=live)


def shown(found: WhatIf) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(TerminalMarkdown(curve_summary(found)))
    return capture.get()


@pytest.mark.parametrize("fitted", [False, True])
async def test_more_false_matches_for_less_review(tmp_path: Path, fitted: bool) -> None:
    state = active(tmp_path, fpir=0.03) if fitted else None
    found = await curve(material(), state, 0.5)
    review = [point.review for point in found.points]
    assert review == sorted(review, reverse=True)
    assert 0 < review[-1] < review[0] < 1
    expected = [point.false_matches for point in found.points]
    assert [e.share for e in expected] == pytest.approx([0.5 * p.fpir for p in found.points])
    assert all(e.low <= e.high for e in expected)
    (asked,) = [point.fpir for point in found.points if point.asked]
    assert asked == (0.03 if fitted else 0.05)
    assert [point.fpir for point in found.points] == sorted({*FPIRS, asked})
    assert (found.probes, found.entries, found.identities) == (20, 40, 20)
    assert found.strangers.source is Source.GIVEN
    assert {point.verified for point in found.points} == {None}


async def test_answers_of_people_tell_strangers_right_and_wrong() -> None:
    near_id0 = embedding("wrong", probes(1)[0].vector, background=light(0))
    stranger = embedding("new", centre(99), background=light(0))
    given = material(
        seen=[*probes(), near_id0, stranger], people=said(p0="id0", wrong="id1", new="Eve")
    )
    found = await curve(given)
    assert found.strangers.share == pytest.approx(1 / 22)
    verified = [point.verified.model_dump() for point in found.points if point.verified]
    assert verified[4] == {"right": 1, "wrong": 1, "review": 1}
    assert verified[-1] == {"right": 1, "wrong": 2, "review": 0}, "the stranger gets a name"


async def test_probes_of_other_models_are_left_out() -> None:
    given = material(seen=[*probes(4), embedding("x", centre(0), model="other@1")])
    found = await curve(given)
    assert (found.model, found.probes, found.left_out) == (MODEL, 4, 1)
    assert "1 embeddings are of other models" in shown(found)


async def test_a_gallery_of_one_identity_sends_all_to_review() -> None:
    found = await curve(material([entry("e", "id", centre(0))], probes(3)))
    assert [(p.review, tuple(p.false_matches)) for p in found.points] == [(1, (0, 0, 0))] * 8
    draw(found)


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        (material(seen=[]), "no embeddings to replay: `perennial publish`"),
        (material([]), "the gallery is empty, so every probe goes to review: `perennial enrol`"),
        (
            material([entry("e", "id", [1, 0], status=Status.QUARANTINED)]),
            "the gallery is empty",
        ),
        (
            material(seen=[embedding("x", [1, 0], model="other@1")]),
            "the embeddings are of other@1: `perennial enrol` again",
        ),
    ],
)
async def test_where_there_is_nothing_to_replay_it_says_what_to_do(
    given: Material, remedy: str
) -> None:
    with pytest.raises(SetupError, match=remedy):
        await curve(given)


async def test_the_screen_marks_the_present_point(tmp_path: Path) -> None:
    screen = shown(await curve(material(people=said(p0="id0")), active(tmp_path)))
    (present,) = [line for line in screen.splitlines() if line.startswith("→   ")]
    assert present.split()[1:3] == ["5", "%"]
    assert "right  wrong" in screen
    assert "`perennial fit` with another --fpir" in screen
    assert "by the 1 that people named of the 1" in screen
    plain = shown(await curve(material()))
    assert "PERENNIAL_TARGET_FPIR of `perennial streams`" in plain
    assert "Nobody has named any of these probes" in plain
    assert "Strangers: 20 % of the probes, as given" in shown(await curve(material(), None, 0.2))


async def test_the_picture_shows_every_point(tmp_path: Path) -> None:
    found = await curve(material(people=said(p0="id0")), share=0.3)
    (axis,) = draw(found).axes
    labels = {text.get_text() for text in axis.texts}
    assert labels == {"0.05 %", "0.1 %", "0.2 %", "0.5 %", "1 %", "2 %", "5 %", "10 %"}
    drawn = {str(line.get_label()): line for line in axis.lines}
    assert drawn.keys() == {"to be expected", "at present", "wrong, by people's answers"}
    x, y = np.asarray(drawn["at present"].get_xydata())[0]
    (asked,) = [point for point in found.points if point.asked]
    assert (x, y) == pytest.approx((100 * asked.review, 1000 * 0.3 * 0.05))
    write(tmp_path / "new" / "out", found)
    assert (tmp_path / "new" / "out" / "whatif.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "new" / "out" / "whatif.json").read_text()
    assert WhatIf.model_validate_json(text) == found
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="give another folder with --out"):
        write(tmp_path / "file", found)


async def test_unusable_records_are_counted() -> None:
    held = {one.entry_id: one for one in entries()}
    given = Material(Gallery(held, {}), Probes(probes(2), 3), NOBODY)
    assert (await curve(given)).left_out == 3
