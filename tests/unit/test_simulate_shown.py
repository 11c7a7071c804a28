"""A simulation on the screen and in pictures."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from rich.console import Console

from lab.shown.markdown import TerminalMarkdown
from lab.shown.style import colour
from lab.simulate.files import decisions, effort, error, write
from lab.simulate.report import (
    Curves,
    DecisionCurve,
    Entries,
    SimulationReport,
    SystemReport,
    summary,
)
from lab.simulate.variants import Chosen, SystemVariant, grid, names
from schemas.conditioning import Activation
from schemas.errors import SetupError
from tests.conditionings import AT

FITTED = Chosen(
    "fitted",
    Activation(name="x", version="v1", uri="file:///x", model="m", activated_at=AT, actor="ann"),
)
EVERY = grid([Chosen(), FITTED], (False, True), (False, True), (0.0, 0.05))


def variant_report(name: str, variant: SystemVariant, level: float) -> SystemReport:
    return SystemReport(
        name=name,
        parts=variant.parts,
        conditioning=variant.conditioning.name,
        version=None,
        mad=7.0 if variant.mad else None,
        include=variant.include,
        wrong_answers=variant.wrong,
        decisions=round(100 * level),
        minutes=15 * level,
        review=level,
        review_by_quarter=(0.925, level, 0.5, 0.25),
        error=0.1,
        error_by_quarter=(None, 0.125, 0.0, 0.1),
        wrong_of_all=0.0567,
        accuracy=0.1234,
        strangers=139,
        stranger_identities=40,
        fpir_met=0.0719,
        answered=Entries(right=9, wrong=1),
        included=Entries(right=3, wrong=0),
        gallery=Entries(right=8, wrong=4),
        quarantined={"retention: mad": Entries(right=2, wrong=5)} if variant.mad else {},
        frames_per_s=100.0,
        curves=Curves(frames=(50, 100), review=(level, level / 2), error=(None, 0.1)),
        by_decisions=DecisionCurve(decisions=(0, 40, 60), right=(0.0, 0.5, 0.9)),
    )


def made(variants: list[SystemVariant], timed: int = 100) -> SimulationReport:
    called = names([variant.parts for variant in variants])
    return SimulationReport(
        data="herd",
        made_at=datetime.now(UTC),
        model="m@1",
        split=2,
        frames=100,
        timed=timed,
        identities=43,
        fpir=0.01,
        delay=20,
        poor=0.1,
        seed=0,
        window=50,
        notes=(),
        refused={},
        variants=tuple(
            variant_report(name, variant, 0.9 - 0.05 * number)
            for number, (name, variant) in enumerate(zip(called, variants, strict=True))
        ),
    )


def shown(report: SimulationReport, width: int = 200) -> str:
    console = Console(width=width, file=None, record=True)
    with console.capture() as capture:
        console.print(TerminalMarkdown(summary(report)))
    return capture.get()


def test_every_combination_is_a_variant_named_by_what_tells_it() -> None:
    assert len(set(EVERY)) == 16
    called = names([variant.parts for variant in EVERY])
    assert len(set(called)) == 16
    assert called[0] == "plain, no MAD, no inclusion, 0 % wrong"
    assert called[-1] == "fitted, MAD, inclusion, 5 % wrong"
    some = grid([Chosen(), FITTED], (True,), (False,), (0.05,))
    assert names([variant.parts for variant in some]) == ["plain", "fitted"]
    (alone,) = names([some[0].parts])
    assert alone == "plain, MAD, no inclusion, 5 % wrong"


def test_the_table_says_what_came_and_what_became_of_it() -> None:
    lines = [" ".join(line.split()) for line in shown(made(EVERY)).splitlines()]
    assert lines[0] == (
        "herd, test part of split 2: 100 frames of 43 identities, 10 % of them poor; "
        "FPIR asked 1 %, answers 20 frames later"
    )
    assert lines[2] == "variant to a person min wrong of all right FPIR met MAD out"
    assert lines[3] == (
        "plain, no MAD, no inclusion, 0 % wrong 92 90 50 25 14 – 12 0 10 5.7 12.3 7.2 of 139 +0 −0"
    )
    assert lines[18].startswith("fitted, MAD, inclusion, 5 % wrong")
    assert lines[18].endswith("+2 −5")


def test_without_any_time_nothing_is_said_to_be_in_time_order() -> None:
    report = made(EVERY[:1], timed=0)
    assert "in time order" in shown(made(EVERY[:1], timed=1))
    assert "in time order" not in shown(report)
    assert "by quarter of the frames, in random order" in " ".join(shown(report).split())
    assert effort(report).axes[0].get_xlabel() == "frames so far, in random order"


def test_the_table_leaves_out_what_all_have() -> None:
    assert "MAD" not in shown(made([EVERY[0], EVERY[8]])).splitlines()[3]


def test_figures_are_not_broken_on_a_narrow_screen() -> None:
    assert "92 90 50 25" in shown(made(EVERY), width=80)
    assert "0 % wrong  92 90 50 25   14" in shown(made([EVERY[0], EVERY[8]]), width=80)


def lines_of(figure: Figure, panel: int = 0) -> dict[str, tuple[object, object]]:
    return {
        str(line.get_label()): (line.get_color(), line.get_linestyle())
        for line in figure.axes[panel].lines
        if not str(line.get_label()).startswith("_")
    }


def axis_labels(figure: Figure) -> tuple[str, str]:
    return figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()


@pytest.mark.parametrize("draw", [effort, error, decisions])
def test_a_panel_for_each_share_of_wrong_answers_a_line_for_each_variant(draw: object) -> None:
    assert callable(draw)
    figure = draw(made(EVERY))
    assert len(figure.axes) == 2
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "herd · 0 % of the answers wrong",
        "herd · 5 % of the answers wrong",
    ]
    styles = lines_of(figure)
    assert styles == lines_of(figure, 1)
    assert len(set(styles.values())) == len(styles) == 8
    assert styles["plain, no MAD, no inclusion"] == (colour(0), ":")
    assert styles["plain, MAD, no inclusion"] == (colour(0), "-")
    assert (
        axis_labels(figure)
        == {
            effort: ("frames so far, in time order", "went to a person,\nof the last 50 frames"),
            error: (
                "frames so far, in time order",
                "wrong, of those that the matcher\nnamed in the last 50 frames",
            ),
            decisions: ("decisions of a person so far", "named rightly so far, of all frames"),
        }[draw]
    )


def test_curves_are_drawn_as_they_are() -> None:
    (line,) = effort(made([EVERY[3]])).axes[0].lines
    assert np.array_equal(line.get_xydata(), [[50, 0.9], [100, 0.45]])
    assert line.get_linestyle() == "-", "nothing to tell MAD from"
    (line,) = error(made([EVERY[3]])).axes[0].lines
    assert np.array_equal(line.get_xydata(), [[50, np.nan], [100, 0.1]], equal_nan=True)


def test_decisions_are_drawn_beside_a_person_who_names_every_frame() -> None:
    line, everything = decisions(made([EVERY[3]])).axes[0].lines
    assert np.array_equal(line.get_xydata(), [[0.0, 0.0], [40.0, 0.5], [60.0, 0.9]])
    assert np.array_equal(everything.get_xydata(), [[0, 0], [100, 1]])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="--out"):
        write(tmp_path / "file" / "out", made(EVERY[:1]))
