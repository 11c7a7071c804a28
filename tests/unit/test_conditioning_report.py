"""What is said of a fit as a page and as figures in the artefact."""

import base64
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from lab.fit.page import PAGE, gains, page, reliability, tail, write
from lab.fit.report import FitReport
from lab.fit.run import report_on
from lab.fit.words import finding, promise
from schemas.errors import SetupError
from streams.conditioning.artefact import load_artefact
from tests.unit.fit_reports import HOSTILE, made, origin, report


def test_figures_are_those_of_the_fit() -> None:
    given, fit = report(), made()
    assert [one.variable for one in given.variables] == ["season", "lens"]
    assert [one.weight for one in given.variables] == [fit.weights["season"], None]
    assert given.chosen.way == str(fit.fitted.chosen)
    assert given.race.ways[0].way == "plain distances"
    assert given.race.ways[given.race.one_cluster].way.startswith("one cluster")
    assert [one.name for one in given.clusters] == ["c0", "c1"]
    scales = fit.typical.tails.scales
    assert [one.threshold for one in given.clusters] == pytest.approx(scales[:-1])
    assert [one.strangers for one in given.clusters] == [12, 12]
    assert given.asked.fpir == 0.02
    assert sum(one.count for one in given.reliability) > 1000
    assert FitReport.model_validate_json(given.model_dump_json()) == given


class Page(HTMLParser):
    """Collects what a page would load, and the pictures in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.pictures: list[bytes] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href") and value is not None:
                head, _, content = value.partition(";base64,")
                if head == "data:image/svg+xml":
                    self.pictures.append(base64.b64decode(content))
                else:
                    self.loads.append(value)


def read(html: str) -> Page:
    parser = Page()
    parser.feed(html)
    return parser


def test_the_page_holds_all_that_it_shows() -> None:
    given = report()
    html = page(given, made(), "herd", "0123456789ab")
    found = read(html)
    assert found.loads == []
    assert len(found.pictures) == 3
    assert all(b"<svg" in picture for picture in found.pictures)
    assert "script" not in found.tags
    assert "<!--" not in html
    assert "url(" not in html
    for text in (finding(given), promise(given), "version 0123456789ab", "there is only the value"):
        assert text in html.replace("&#x27;", "'")
    assert "prefers-color-scheme: dark" in html
    assert page(given, made(), "herd", "0123456789ab") == html


def test_the_page_leaves_out_what_there_is_not() -> None:
    given = report(left_out={}).model_copy(update={"calibration_error": None, "reliability": ()})
    html = page(given, made(), "herd", "v")
    assert "Not looked at" not in html
    assert "Probabilities" not in html
    assert len(read(html).pictures) == 2


def test_names_are_never_markup() -> None:
    given = report(data=HOSTILE, model=HOSTILE, left_out={"x": HOSTILE})
    bad = given.variables[0].model_copy(update={"variable": HOSTILE, "meaning": HOSTILE})
    cluster = given.clusters[0].model_copy(update={"description": HOSTILE})
    changed = given.model_copy(update={"variables": (bad,), "clusters": (cluster, cluster)})
    assert "script" not in read(page(changed, made(), HOSTILE, HOSTILE)).tags


def test_the_race_shows_every_way_with_its_interval() -> None:
    given = report().race
    (axis,) = gains(given).axes
    assert [text.get_text() for text in axis.get_yticklabels()] == [one.way for one in given.ways]
    bold = [text.get_text() for text in axis.get_yticklabels() if text.get_fontweight() == "bold"]
    assert bold == [given.ways[given.chosen].way]
    dots = [np.asarray(line.get_xdata())[0] for line in axis.lines if line.get_marker() == "o"]
    assert dots == pytest.approx([100 * one.gain for one in given.ways])


@pytest.mark.parametrize("fpirs", [(0.001, 0.01, 0.05), (0.00001, 0.05), (0.05, 0.9)])
def test_the_tail_goes_through_the_thresholds(fpirs: tuple[float, ...]) -> None:
    fitted = made().typical.tails.tail
    (axis,) = tail(fitted, fpirs).axes
    low, high = axis.get_xlim()
    least, most = axis.get_ylim()
    dots = [line for line in axis.lines if line.get_marker() == "o"]
    for fpir, dot in zip(fpirs, dots, strict=True):
        ((x, y),) = np.asarray(dot.get_xydata())
        assert (x, y) == pytest.approx((fitted.threshold(fpir), fpir))
        assert low < x <= high
        assert least < y < most
    seen = np.asarray(axis.lines[0].get_ydata())
    assert seen[-1] == pytest.approx(1)
    assert (np.diff(seen) > 0).all()


def test_a_dot_of_the_reliability_is_as_large_as_what_it_stands_for() -> None:
    bins = report().reliability
    (axis,) = reliability(bins).axes
    (dots,) = axis.collections
    assert isinstance(dots, PathCollection)
    sizes = np.asarray(dots.get_sizes())
    assert sizes.argmax() == np.argmax([one.count for one in bins])
    offsets = np.asarray(dots.get_offsets())
    assert offsets.tolist() == [[one.predicted, one.observed] for one in bins]


def test_the_folder_holds_an_artefact_that_says_the_same(tmp_path: Path) -> None:
    given = report()
    artefact = write(tmp_path / "a" / "b", given, made(), "herd")
    read_again = load_artefact(tmp_path / "a" / "b")
    assert (read_again.version, read_again.fpir) == (artefact.version, 0.02)
    assert (read_again.name, read_again.model) == ("herd", "m@1")
    assert FitReport.model_validate(read_again.about) == given
    assert read_again.calibration is not None
    html = (tmp_path / "a" / "b" / PAGE).read_text(encoding="utf-8")
    assert f"version {artefact.version}" in html
    assert json.loads((tmp_path / "a" / "b" / "conditioning.json").read_bytes())["about"]["race"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SetupError, match="file"):
        write(tmp_path / "file", report(), made(), "herd")
    (tmp_path / "out" / PAGE).mkdir(parents=True)
    with pytest.raises(SetupError, match="another folder with --out"):
        write(tmp_path / "out", report(), made(), "herd")


def test_without_a_calibration_the_figures_say_so() -> None:
    without = replace(made(), calibration=None, reliability=None)
    given = report_on(without, origin())
    assert given.calibration_error is None
    assert given.reliability == ()
