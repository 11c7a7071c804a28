"""What a change would change, counted and shown."""

from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from client.activation import Present
from lab.shown.markdown import TerminalMarkdown
from lab.whatif.agreement import EXAMPLES, Agreement, AnswerChange, Incomparable, agree, compare
from lab.whatif.answers import Answer, Answers, verify
from lab.whatif.words import agreement_summary
from schemas.errors import SetupError
from streams.conditioning.artefact import PAGE
from tests.unit.replayed import SETTINGS, active, material, said


def answers(**identities: str | None) -> Answers:
    return {
        event_id: Answer(event_id, identity, 0.2, 0.3 if identity else 0.1, "c0")
        for event_id, identity in identities.items()
    }


def agreed(before: Answers, after: Answers, **identities: str) -> Agreement:
    return agree(
        before,
        after,
        probes=len(before),
        descriptions={"c0": "day: 3 images"},
        by_after=True,
        identities=identities,
    )


def shown(agreement: Agreement) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(TerminalMarkdown(agreement_summary(agreement, "plain", "light 1")))
    return capture.get()


def test_every_pair_of_answers_is_of_one_kind() -> None:
    before = answers(a="Ida", b="Ida", c=None, d="Ida", e=None, gone="Ida")
    after = answers(a="Ida", b="Eve", c="Ida", d=None, e=None)
    found = agreed(before, after)
    expected = {AnswerChange.SAME: 2, **dict.fromkeys(list(AnswerChange)[1:], 1)}
    assert found.counts == expected
    (cluster,) = found.clusters
    assert (cluster.cluster, cluster.description) == ("c0", "day: 3 images")
    assert cluster.counts == expected
    assert (found.probes, found.left_out, found.verified) == (5, 1, None)
    examples = {one.event_id: (one.kind, one.before.identity) for one in found.examples}
    assert examples == {
        "b": (AnswerChange.OTHER_IDENTITY, "Ida"),
        "c": (AnswerChange.NOW_IDENTIFIED, None),
        "d": (AnswerChange.NOW_REVIEW, "Ida"),
    }


def test_a_few_examples_of_each_kind_are_enough() -> None:
    names = [f"p{i}" for i in range(9)]
    found = agreed(answers(**dict.fromkeys(names, None)), answers(**dict.fromkeys(names, "Ida")))
    assert [one.event_id for one in found.examples] == names[:EXAMPLES]


def test_clusters_are_those_of_the_side_that_has_them_the_largest_first() -> None:
    before = {
        n: Answer(n, None, None, None, c) for n, c in zip("abc", ("x", None, None), strict=True)
    }
    found = agree(
        before, answers(a=None, b=None, c=None), probes=3, descriptions={}, by_after=False,
        identities={},
    )  # fmt: skip
    assert [(c.cluster, c.counts[AnswerChange.SAME]) for c in found.clusters] == [
        ("unclustered", 2),
        ("x", 1),
    ]


def test_people_tell_who_is_right() -> None:
    before, after = answers(a="Ida", b=None, c="Eve"), answers(a="Ida", b="Eve", c=None)
    found = agreed(before, after, a="Ida", b="Eve", c="Ida", elsewhere="Bo")
    assert found.verified is not None
    assert [v.model_dump() for v in found.verified] == [
        {"right": 1, "wrong": 1, "review": 1},
        {"right": 2, "wrong": 0, "review": 1},
    ]
    assert verify(before, {}).model_dump() == {"right": 0, "wrong": 0, "review": 0}
    assert "1 right, 1 wrong, 1 to review; then 2 right, 0 wrong, 1 to review" in shown(found)


def test_the_screen_tells_the_distance_beside_the_threshold() -> None:
    before = answers(**{"a[x]": "Ida", "b": None, "gone": None})
    after = {
        "a[x]": Answer("a[x]", None, 0.4, 0.3, None),
        "b": Answer("b", "Eve", 0.2, 0.3, "c0"),
    }
    screen = shown(agreed(before, after))
    assert "2 probes, plain → light 1, against the present gallery" in screen
    assert "day: 3 images" in screen
    assert "a[x]" in screen
    assert "Ida 0.200 ≤ 0.300" in screen
    assert "review 0.400 > 0.300" in screen
    assert "1 could not be answered" in screen


def test_the_screen_tells_of_probes_without_threshold_or_gallery() -> None:
    before = {n: Answer(n, None, d, None, None) for n, d in (("a", 0.5), ("b", None))}
    screen = shown(agreed(before, answers(a="Ida", b="Ida")))
    assert "review 0.500, no τ yet" in screen
    assert "review  " in screen
    assert "no recent probes" in shown(agreed({}, {}))


async def test_the_same_conditioning_agrees_and_another_is_told_by_cluster(tmp_path: Path) -> None:
    state, given = active(tmp_path), material(people=said(p0="id0"))
    with Progress(disable=True) as bar:
        same = await compare(Present(state, None), state, given, SETTINGS, bar)
        assert (same.counts[AnswerChange.SAME], same.examples) == (20, ())
        other = await compare(Present(None, None), state, given, SETTINGS, bar)
        undone = await compare(Present(state, None), None, given, SETTINGS, bar)
        plain = await compare(Present(None, None), None, given, SETTINGS, bar)
    assert {c.cluster: c.description for c in plain.clusters} == {
        "light=day": "",
        "light=night": "",
    }
    words = {"c0": "day: 70 images", "c1": "night: 50 images"}
    assert {c.cluster: c.description for c in other.clusters} == words
    assert {c.cluster: c.description for c in undone.clusters} == words
    assert other.counts[AnswerChange.NOW_IDENTIFIED] == undone.counts[AnswerChange.NOW_REVIEW]
    assert other.verified is not None
    assert other.verified[0].right == 1


async def test_what_is_active_may_be_lost_but_not_what_is_to_be(tmp_path: Path) -> None:
    state = active(tmp_path)
    (tmp_path / PAGE).unlink()
    with Progress(disable=True) as bar:
        with pytest.raises(Incomparable, match="no comparison with what is active"):
            await compare(Present(state, None), None, material(), SETTINGS, bar)
        with pytest.raises(SetupError) as caught:
            await compare(Present(None, None), state, material(), SETTINGS, bar)
    assert not isinstance(caught.value, Incomparable)
