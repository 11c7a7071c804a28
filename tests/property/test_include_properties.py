"""Inclusion against its definition, over any neighbours."""

from hypothesis import given
from hypothesis import strategies as st

from recognition.decision import Inclusion, InclusionRule, Neighbour, include
from recognition.match import decide

# Multiples of 1/64 make ties common, and are exact in binary.
parts = st.integers(0, 128).map(lambda value: value / 64)
galleries = st.lists(
    st.builds(
        Neighbour,
        entry_id=st.integers(0, 999).map(str),
        identity=st.sampled_from(["oak", "pond", "gate"]),
        distance=parts,
        cluster=st.just("c0"),
    ),
    max_size=8,
    unique_by=lambda neighbour: neighbour.entry_id,
)
rules = st.sampled_from(
    [InclusionRule(0.75, 0.25), InclusionRule(1, 0.5), InclusionRule(0.5, 0.25)]
)


@given(galleries, st.none() | parts, rules)
def test_included_is_who_is_near_alone_and_not_too_near(
    neighbours: list[Neighbour], threshold: float | None, rule: InclusionRule
) -> None:
    within = [n for n in neighbours if threshold is not None and n.distance <= threshold]
    nearest = min((n.distance for n in within), default=None)
    expected = (
        threshold is not None
        and nearest is not None
        and len({n.identity for n in within}) == 1
        and rule.new * threshold < nearest <= rule.surer * threshold
    )
    assert (include(decide(neighbours, threshold), rule) is Inclusion.INCLUDED) == expected


@given(galleries, parts, rules, st.floats(0.01, 0.99))
def test_a_stricter_rule_includes_no_more(
    neighbours: list[Neighbour], threshold: float, rule: InclusionRule, share: float
) -> None:
    surer = rule.new + (rule.surer - rule.new) * share
    if not rule.new < surer <= rule.surer:
        return
    decision = decide(neighbours, threshold)
    if include(decision, InclusionRule(surer, rule.new)) is Inclusion.INCLUDED:
        assert include(decision, rule) is Inclusion.INCLUDED


@given(galleries, parts, rules)
def test_what_was_included_is_nothing_new_the_next_time(
    neighbours: list[Neighbour], threshold: float, rule: InclusionRule
) -> None:
    """A record that is delivered twice finds its own entry."""
    decision = decide(neighbours, threshold)
    if include(decision, rule) is Inclusion.INCLUDED and decision.identity is not None:
        itself = Neighbour("itself", decision.identity, 0.0, "c0")
        again = decide([*neighbours, itself], threshold)
        assert include(again, rule) is Inclusion.NOTHING_NEW
