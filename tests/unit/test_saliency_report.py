"""What is made of the findings: the variables chosen, the page, and what is drawn on it."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from plotly.offline import get_plotlyjs
from rich.console import Console
from rich.progress import Progress

from lab.images.manifest import ManifestRow
from lab.images.samples import EmbeddedParts
from lab.images.variables import fit_variables
from lab.saliency import page_data as page_data_module
from lab.saliency.page import page, write
from lab.saliency.page_data import MAX_VARIABLES, SIDE, chosen, page_data, thumbnails
from lab.saliency.pairs import AllPairs
from lab.saliency.projections import VIEWS, Projection, project
from lab.saliency.report import SaliencyReport, VariableReport, summary
from lab.shown.markdown import TerminalMarkdown
from recognition.saliency import Gain, Saliency, rank, saliency
from recognition.variable import Kind, Variable
from schemas.background import Declaration
from schemas.errors import SetupError
from schemas.event import Background
from schemas.settings import Settings
from tests.unit.angles import at_angles
from tests.unit.planted import Planted, planted

HOSTILE = "</script><script>alert(1)</script><!--data-->"


def declared(**variables: dict[str, object]) -> Declaration:
    return Declaration.model_validate({"variables": variables})


@cache
def found() -> tuple[Planted, list[Background], list[Variable], list[Saliency]]:
    """Look at planted embeddings; the first image has no season."""
    data = planted(0, identities=10)
    backgrounds: list[Background] = [
        {name: value for name, values in data.values.items() if (value := values[i]) is not None}
        for i in range(len(data.labels))
    ]
    del backgrounds[0]["season"]
    variables, _ = fit_variables(backgrounds, None, declared(hour={"type": "cyclic", "period": 24}))
    return (
        data,
        backgrounds,
        variables,
        [
            saliency(data.embeddings, data.labels, one, [b.get(one.name) for b in backgrounds])
            for one in variables
        ],
    )


def looked(folder: Path, gain: Gain | None = None) -> tuple[SaliencyReport, EmbeddedParts]:
    """Return what was found, with a hostile label and this gain for every variable."""
    data, backgrounds, variables, every = found()
    n = len(data.labels)
    report = SaliencyReport(
        data="herd",
        made_at=datetime(2026, 1, 2, tzinfo=UTC),
        model="tiny@1",
        split=0,
        images=n,
        identities=10,
        permutations=199,
        refused={},
        left_out={"site": HOSTILE},
        variables=tuple(
            VariableReport.model_validate(one) for one in rank(replace(f, gain=gain) for f in every)
        ),
    )
    rows = [
        ManifestRow(f"{i}.png", folder / f"{i}.png", label, None, None, {})
        for i, label in enumerate([HOSTILE, *data.labels[1:]])
    ]
    parts = EmbeddedParts(
        data="herd",
        split=0,
        seen=np.ones(n, np.bool_),
        rows=rows,
        embeddings=data.embeddings,
        backgrounds=backgrounds,
        model="tiny@1",
        refused={},
        variables=variables,
        left_out={},
    )
    return report, parts


def nothing(_: str, __: int) -> Callable[[], None]:
    return lambda: None


@pytest.fixture
def pca_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes long and is tested on its own."""

    def quick(embeddings: Any, on_done: Callable[[], None]) -> list[Projection]:
        return project(embeddings[:9], on_done)

    monkeypatch.setattr(page_data_module, "project", quick)


class Scripts(HTMLParser):
    """The scripts of a page, and what else it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.loads: list[str] = []
        self._open: dict[str, str | None] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [value for name in ("src", "href") if (value := given.get(name))]
        if tag == "script":
            self._open = given
            self.scripts.append((given, ""))

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            given, text = self.scripts[-1]
            self.scripts[-1] = (given, text + data)

    def handle_endtag(self, tag: str) -> None:
        self._open = None if tag == "script" else self._open


def parsed(html: str) -> Scripts:
    scripts = Scripts()
    scripts.feed(html)
    return scripts


def test_variables_are_fitted_as_they_are_declared_or_else_as_they_look() -> None:
    backgrounds: list[Background] = [
        {"hour": i % 24, "age": ("old", "young")[i % 2], "camera": f"c{i % 3}", "site": "here"}
        for i in range(48)
    ]
    asked, left_out = fit_variables(backgrounds, None)
    kinds = {variable.name: variable.kind for variable in asked}
    assert kinds == {"hour": Kind.CONTINUOUS, "age": Kind.BINARY, "camera": Kind.NOMINAL}
    assert left_out == {
        "site": "background site: there is only the value 'here'; it takes two to tell "
        "backgrounds apart"
    }
    declaration = declared(
        hour={"type": "cyclic", "period": 24}, age={"type": "ordinal", "values": ["young", "old"]}
    )
    (age, hour), _ = fit_variables(backgrounds, ["age", "hour", "age"], declaration)
    assert (age.kind, age.values) == (Kind.ORDINAL, ("young", "old"))
    assert (hour.kind, hour.period) == (Kind.CYCLIC, 24)


def test_what_names_the_image_is_left_out_unless_it_is_asked_for() -> None:
    backgrounds: list[Background] = [
        {"clip": f"c{i}", "light": ("day", "dusk")[i % 2]} for i in range(41)
    ]
    variables, left_out = fit_variables(backgrounds, None)
    assert [variable.name for variable in variables] == ["light"]
    assert left_out == {"clip": "41 names; ask for it with --by clip"}
    assert [v.name for v in fit_variables(backgrounds, ["clip"])[0]] == ["clip"]


def test_without_a_variable_there_is_nothing_to_look_at() -> None:
    with pytest.raises(SetupError, match="no image has the variable 'weather'; known: site"):
        fit_variables([{"site": "here"}], ["weather"])
    with pytest.raises(SetupError, match="no variable to look at: background site: there is only"):
        fit_variables([{"site": "here"}], None)
    with pytest.raises(SetupError, match="the images have no background"):
        fit_variables([{}], None)


def test_distances_by_pair_of_values() -> None:
    # Cosine distances by hand: 1 at 90°, 2 at 180°, ½ at 60°.
    pairs = AllPairs(at_angles([0, 90, 180, 60]), ["a", "a", "b", "b"])
    by = pairs.by(np.array([0, 1, 0, -1]), 2)
    genuine, impostor = by.genuine.mean, by.impostor.mean
    assert genuine[0, 1] == genuine[1, 0] == pytest.approx(1)  # 0° and 90°
    assert np.isnan(genuine[0, 0])
    assert impostor[0, 0] == pytest.approx(2)  # 0° and 180°
    assert impostor[0, 1] == pytest.approx(1)  # 90° and 180°
    assert by.genuine.counts.sum(axis=2).tolist() == [[0, 1], [1, 0]]
    assert by.impostor.counts.sum(axis=2).tolist() == [[1, 1], [1, 0]]
    assert by.impostor.counts[0, 0, -1] == 1  # the largest of all is in the last bin
    assert np.isnan(by.separation).all()  # single pairs have no spread


def test_separation_is_the_difference_in_standard_deviations() -> None:
    rng = np.random.default_rng(0)
    who, codes = np.repeat([0, 1], 20), np.tile([0, 1], 20)
    angles = 40 * who + rng.normal(0, 8, 40)
    x = at_angles(angles.tolist())
    by = AllPairs(x, [str(one) for one in who]).by(codes, 2)
    near = 1 - x.astype(np.float64) @ x.T.astype(np.float64)
    for a in range(2):
        for b in range(2):
            one, other = np.meshgrid(np.arange(40), np.arange(40), indexing="ij")
            which = (one < other) & (
                ((codes[one] == a) & (codes[other] == b))
                | ((codes[one] == b) & (codes[other] == a))
            )
            same = who[one] == who[other]
            genuine, impostor = near[which & same], near[which & ~same]
            expected = (impostor.mean() - genuine.mean()) / np.sqrt(
                (genuine.var() + impostor.var()) / 2
            )
            assert by.separation[a, b] == pytest.approx(expected, rel=1e-4)


def test_copies_of_one_image_have_no_distances_but_are_counted() -> None:
    by = AllPairs(at_angles([0, 0, 0]), ["a", "a", "b"]).by(np.zeros(3, dtype=np.intp), 1)
    assert by.genuine.counts.sum() == 1
    assert by.impostor.counts.sum() == 2
    assert by.genuine.mean[0, 0] == 0


def test_projections_keep_apart_what_lies_apart() -> None:
    rng = np.random.default_rng(0)
    who = np.repeat([0, 1], 20)
    x = (np.eye(8)[who] * 4 + rng.normal(size=(40, 8)) / 4).astype(np.float32)
    done: list[int] = []
    projections = project(x, lambda: done.append(1))
    assert [one.name for one in projections] == ["PCA", "t-SNE", "UMAP"]
    assert len(done) == VIEWS
    for one in projections:
        assert (one.flat.shape, one.deep.shape) == ((40, 2), (40, 3))
        for placed in (one.flat, one.deep):
            centres = np.stack([placed[who == i].mean(axis=0) for i in (0, 1)])
            nearest = np.linalg.norm(placed[:, None] - centres, axis=2).argmin(axis=1)
            assert (nearest == who).mean() > 0.9
    assert np.abs(projections[0].flat[:, 0]).max() > np.abs(projections[0].flat[:, 1]).max()


def test_few_images_of_few_dimensions_have_a_pca() -> None:
    (pca,) = project(at_angles([0, 10, 90]), lambda: None)
    assert pca.deep.shape == (3, 3)
    assert (pca.deep[:, 2] == 0).all()


def test_thumbnails_are_small_and_none_is_made_of_what_cannot_be_read(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "wide.png"), np.full((100, 300, 3), 200, np.uint8))
    assert cv2.imwrite(str(tmp_path / "tiny.png"), np.full((5, 4, 3), 200, np.uint8))
    (tmp_path / "broken.png").write_bytes(b"no image")
    names = ("wide.png", "tiny.png", "broken.png", "gone.png")
    rows = [ManifestRow(name, tmp_path / name, None, None, None, {}) for name in names]
    done: list[int] = []
    wide, tiny, *others = thumbnails(rows, Settings(), lambda: done.append(1))
    assert others == ["", ""]
    assert len(done) == 4
    assert simplejpeg.decode_jpeg(b64decode(wide)).shape == (SIDE // 3, SIDE, 3)
    assert simplejpeg.decode_jpeg(b64decode(tiny)).shape == (5, 4, 3)


@pytest.mark.usefixtures("pca_alone")
def test_the_page_has_all_it_needs_and_nothing_that_was_not_meant(tmp_path: Path) -> None:
    report, parts = looked(tmp_path)
    data = page_data(report, parts, Settings(), nothing)
    html = page(report, data)
    scripts = parsed(html)
    assert scripts.loads == []
    assert "<!--" not in html.replace(get_plotlyjs(), "")
    kept, plotly, constant, own = scripts.scripts
    assert kept[0] == {"type": "application/json", "id": "data"}
    assert json.loads(kept[1]) == json.loads(json.dumps(data))
    assert "plotly.js" in plotly[1][:200]
    assert constant[1].startswith("const DATA")
    assert "start();" in own[1]
    assert "alert" not in "".join(text for _, text in (constant, own))
    assert "<b>gain</b>" not in html
    assert "<b>gain</b>" in page(looked(tmp_path, Gain(0.1, 0.0, 0.2, 0.3, 0.4))[0], data)
    assert "Not looked at" in html
    assert "Not looked at" not in page(report.model_copy(update={"left_out": {}}), data)


@pytest.mark.usefixtures("pca_alone")
def test_what_the_page_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report, parts = looked(tmp_path)
    data = page_data(report, parts, Settings(), nothing)
    assert data["images"]["label"] == parts.labels
    assert data["images"]["thumbnail"] == [""] * 120
    assert {len(column) for column in data["views"]["PCA"]["3"]} == {9}
    assert len(data["variables"]) == MAX_VARIABLES
    by_name = {one["name"]: one for one in data["variables"]}
    season, hour = by_name["season"], by_name["hour"]
    assert (season["scale"], season["numbers"]) == ("names", None)
    assert (season["codes"][0], season["texts"][0]) == (-1, "")
    assert (hour["scale"], hour["period"]) == ("cycle", 24)
    assert hour["numbers"][0] == pytest.approx(parts.backgrounds[0]["hour"])
    assert set(by_name) == {"season", "hour", "age", "wet"}
    counts = np.array(season["pairs"]["genuine"]["counts"])
    assert counts.shape[:2] == (3, 3)
    assert counts.shape[2] + 1 == len(season["pairs"]["edges"])
    monkeypatch.setattr(page_data_module, "MAX_SHOWN", 20)
    assert len(page_data(report, parts, Settings(), nothing)["images"]["label"]) == 20


def test_where_nothing_is_salient_the_first_of_the_ranking_is_shown(tmp_path: Path) -> None:
    report, parts = looked(tmp_path, Gain(-0.1, -0.2, 0.1, 0.5, 0.4))
    assert not any(one.salient for one in report.variables)
    first = report.variables[0].variable
    assert [variable.name for variable in chosen(report, parts)] == [first]


def test_scales_follow_the_kind() -> None:
    backgrounds: list[Background] = [{"age": ("old", "young")[i % 2], "lux": i} for i in range(8)]
    declaration = declared(age={"type": "ordinal", "values": ["young", "old"]})
    (age, lux), _ = fit_variables(backgrounds, None, declaration)
    assert page_data_module._scale(age) == "ordered"
    assert page_data_module._scale(lux) == "numbers"


def ranking(report: SaliencyReport) -> str:
    """Return the first table of the page."""
    return page(report, {}).partition("</table>")[0]


def test_the_ranking_shows_a_gain_where_one_was_measured(tmp_path: Path) -> None:
    report = looked(tmp_path)[0]
    assert "gain in TPIR" not in ranking(report)
    assert "role confounded" in ranking(report)
    for gain, state in (
        (Gain(0.05, 0.02, 0.08, 0.3, 0.35), "up"),
        (Gain(-0.05, -0.08, -0.02, 0.35, 0.3), "down"),
        (Gain(0.0, 0.0, 0.0, 0.3, 0.3), "unsure"),
    ):
        table = ranking(looked(tmp_path, gain)[0])
        assert "gain in TPIR" in table
        assert f"gain {state}" in table
    some = [replace_gain(report.variables[0]), *report.variables[1:]]
    mixed = ranking(report.model_copy(update={"variables": tuple(some)}))
    assert "+0.050" in mixed
    assert "–" in mixed


def replace_gain(one: VariableReport) -> VariableReport:
    gain = {"gain": 0.05, "low": 0.02, "high": 0.08, "plain": 0.3, "conditioned": 0.35}
    return VariableReport.model_validate({**one.model_dump(), "gain": gain, "read": None})


def test_names_are_never_markup(tmp_path: Path) -> None:
    report = looked(tmp_path)[0]
    bad = report.variables[0].model_copy(update={"variable": HOSTILE, "meaning": HOSTILE})
    html = page(report.model_copy(update={"variables": (bad,), "data": HOSTILE}), {})
    assert "<script>alert" not in html


def test_the_screen_says_the_same(tmp_path: Path) -> None:
    report = looked(tmp_path, Gain(0.05, 0.02, 0.08, 0.3, 0.35))[0]
    unread = report.variables[0].model_copy(update={"read": None, "gain": None})
    stream = StringIO()
    Console(file=stream, width=200).print(
        TerminalMarkdown(
            summary(report.model_copy(update={"variables": (unread, *report.variables[1:])}))
        )
    )
    said = stream.getvalue()
    assert "herd: 120 images of 10 identities" in said
    assert "shifts and spreads" in said
    assert "+0.050 [+0.020, +0.080]" in said
    assert "confounded" in said


@pytest.mark.usefixtures("pca_alone")
def test_both_files_are_written_or_it_is_said_why_not(tmp_path: Path) -> None:
    (report, parts), bar = looked(tmp_path), Progress(disable=True)
    write(tmp_path / "a" / "b", report, parts, Settings(), bar)
    written = (tmp_path / "a" / "b" / "saliency.json").read_text(encoding="utf-8")
    assert SaliencyReport.model_validate_json(written) == report
    assert (tmp_path / "a" / "b" / "saliency.html").stat().st_size > 1_000_000
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SetupError, match="give another folder with --out"):
        write(tmp_path / "file", report, parts, Settings(), bar)
