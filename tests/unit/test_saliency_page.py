"""The page about what is salient, and what is drawn on it."""

import json
from base64 import b64decode
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from plotly.offline import get_plotlyjs
from rich.progress import Progress

from lab.images.backgrounds import fit_variables
from lab.images.manifest import ManifestRow
from lab.saliency import page_data as page_data_module
from lab.saliency.page_data import MAX_VARIABLES, SIDE, chosen, page, page_data, thumbnails, write
from lab.saliency.projections import Projection, project
from lab.saliency.report import SaliencyReport, VariableReport
from recognition.saliency import Gain
from schemas.errors import SetupError
from schemas.event import Background
from schemas.settings import Settings
from tests.unit.saliency_findings import HOSTILE, declared, looked


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
