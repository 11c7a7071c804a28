"""What is said of a fit in sentences."""

import re
from io import StringIO

import pytest
from rich.console import Console

from lab.fit.report import ExpectedFpir, SampleSize
from lab.fit.words import between, doubt, finding, interval, listed, promise, summary
from lab.shown.markdown import TerminalMarkdown
from tests.unit.fit_reports import ONE, report, way, won


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
