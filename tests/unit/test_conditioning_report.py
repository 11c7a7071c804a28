"""What is said of a fit: in sentences, as a page and as figures in the artefact."""

import base64
import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from rich.console import Console

from lab.fit.fitting import FitResult, fit_conditioning
from lab.fit.page import PAGE, page, write
from lab.fit.plots import gains, reliability, tail
from lab.fit.report import ExpectedFpir, FitReport, Origin, SampleSize, WayReport
from lab.fit.run import report_on
from lab.fit.words import between, doubt, finding, interval, listed, promise, summary
from lab.shown.markdown import TerminalMarkdown
from recognition.fit import Sample
from recognition.fitted_variable import fit_variable
from schemas.errors import SetupError
from streams.conditioning.artefact import load_artefact
from tests.conditionings import AT

IDENTITIES, SHOTS = 24, 8
HOSTILE = "<script>alert(1)</script>"


def origin(**changes: Any) -> Origin:
    values: dict[str, Any] = {
        "data": "herd",
        "made_at": AT,
        "model": "m@1",
        "split": 2,
        "fpir": 0.02,
        "seen": SampleSize(images=96, identities=12),
        "held_out": SampleSize(images=96, identities=12),
        "refused": {"a.png": "no image"},
        "left_out": {"site": "background site: there is only the value 'here'"},
    }
    return Origin(**{**values, **changes})


@cache
def made() -> FitResult:
    """A season that moves all embeddings, and a lens that does nothing."""
    rng = np.random.default_rng(0)
    n = IDENTITIES * SHOTS
    who = np.repeat(np.arange(IDENTITIES), SHOTS)
    embeddings = rng.normal(size=(IDENTITIES, 12))[who] + rng.normal(size=(n, 12)) / 4
    embeddings[:, 0] += 3.0 * (np.arange(n) % 2)
    backgrounds = [
        {"season": ("summer", "winter")[i % 2], "lens": f"l{lens}"}
        for i, lens in enumerate(rng.integers(0, 2, n).tolist())
    ]
    labels = np.array([f"id{one}" for one in who], dtype=np.str_)
    x = embeddings.astype(np.float32)
    half = n // 2
    seen, held_out = (
        Sample(x[part], labels[part], backgrounds[part]) for part in (slice(half), slice(half, n))
    )
    variables = [fit_variable(v, [b[v] for b in backgrounds]) for v in ("lens", "season")]
    return fit_conditioning(seen, held_out, variables, 0.02)


def report(**changes: Any) -> FitReport:
    return report_on(made(), origin(**changes))


def way(name: str, gain: float, low: float, high: float) -> WayReport:
    return WayReport(way=name, tpir=0.5 + gain, gain=gain, low=low, high=high)


def won(*ways: WayReport, chosen: int, one_cluster: int, clusters: int) -> FitReport:
    """A report in which this way won, in so many clusters."""
    given = report()
    every = (way("plain distances", 0.0, 0.0, 0.0), *ways)
    changed = given.race.model_copy(
        update={"ways": every, "chosen": chosen, "one_cluster": one_cluster}
    )
    some = (given.clusters * 4)[:clusters]
    return given.model_copy(update={"race": changed, "clusters": some})


ONE = way("one cluster, scaled, local scale", 0.02, 0.01, 0.03)


def test_a_gain_of_clusters_is_told_with_its_interval_and_what_one_would_do() -> None:
    said = finding(
        won(ONE, way("4 clusters", 0.041, 0.012, 0.07), chosen=2, one_cluster=1, clusters=4)
    )
    assert said == (
        "Conditioning on season in 4 clusters gains 4.1 points of TPIR [1.2, 7.0]: from 0.500 to "
        "0.541 at an FPIR of 5 %. One cluster, treated alike: +2.0 [+1.0, +3.0]."
    )


def test_a_gain_that_may_be_chance_is_called_so() -> None:
    said = finding(
        won(ONE, way("2 clusters", -0.01, -0.03, 0.01), chosen=2, one_cluster=1, clusters=2)
    )
    assert "in 2 clusters shows no sure gain" in said
    assert "−1.0 [−3.0, +1.0] points" in said
    assert "gains" not in said


def test_one_cluster_is_no_gain_from_clusters() -> None:
    said = finding(won(ONE, chosen=1, one_cluster=1, clusters=1))
    assert said.startswith("No gain from clusters: one cluster (scaled, local scale). It gains 2.0")


def test_plain_distances_are_said_to_be_best() -> None:
    lost = way("8 clusters, local scale", -0.03, -0.05, -0.01)
    said = finding(
        won(ONE.model_copy(update={"gain": -0.04}), lost, chosen=0, one_cluster=0, clusters=1)
    )
    assert said == (
        "No gain from clusters: one cluster, and distances as they are. The best of 2 other ways "
        "(8 clusters, local scale): −3.0 [−5.0, −1.0]."
    )


def test_where_no_variable_acts_that_is_the_reason() -> None:
    given = won(ONE, chosen=1, one_cluster=1, clusters=1)
    idle = tuple(one.model_copy(update={"weight": None}) for one in given.variables)
    said = finding(given.model_copy(update={"variables": idle}))
    assert said.startswith("No background variable acts on the embeddings of an identity: one")


def test_of_many_variables_the_heaviest_are_named() -> None:
    given = won(ONE, way("2 clusters", 0.1, 0.05, 0.2), chosen=2, one_cluster=1, clusters=2)
    (season, _) = given.variables
    many = tuple(season.model_copy(update={"variable": f"v{i}"}) for i in range(5))
    said = finding(given.model_copy(update={"variables": many}))
    assert said.startswith("Conditioning on v0, v1, v2 and 2 more in 2 clusters")


def test_what_is_promised_and_what_is_doubted() -> None:
    few = report(held_out=SampleSize(images=30, identities=9))
    assert "expect 0." in promise(few)
    assert "Asked for an FPIR of 2 %" in promise(few)
    assert "when 9 strangers come" in promise(few)
    assert "Only 9 identities" in (doubt(few) or "")
    assert doubt(report(held_out=SampleSize(images=30, identities=10))) is None


def test_numbers_in_words() -> None:
    near = ExpectedFpir(fpir=0.01, low=0.0001, high=0.0374, threshold=0.5)
    assert between(near) == "0.0 to 3.7 %"
    assert between(near.model_copy(update={"fpir": 0.0001, "high": 0.0006})) == "0.01 to 0.06 %"
    assert interval(way("x", 0.041, -0.012, 0.07)) == "+4.1 [−1.2, +7.0]"
    assert listed(["hour"]) == "hour"
    assert listed(["hour", "date", "camera"]) == "hour, date and camera"


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


@pytest.mark.parametrize("identities", [9, 12])
def test_the_screen_says_it_in_a_few_lines(identities: int) -> None:
    stream = StringIO()
    given = report(held_out=SampleSize(images=96, identities=identities))
    Console(file=stream, width=200).print(TerminalMarkdown(summary(given)))
    said = re.sub(r"\s+", " ", stream.getvalue())
    assert f"herd: 96 images of 12 identities, judged by 96 of {identities} others" in said
    assert finding(given) in said
    assert promise(given) in said
    assert (f"Only {identities} identities" in said) is (identities < 10)
    assert "c1" in said
