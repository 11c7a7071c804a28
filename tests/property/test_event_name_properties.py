"""Event names: two events share one only if they are the same event."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.event import bare_id, event_name, frame_of

# What could be mistaken for a part of a name, more often than chance would have it.
part = st.text(max_size=20) | st.text("/#%&+. aA0é\N{COW}~-_", max_size=6) | st.just("a/b#1")
regions = st.none() | st.integers(0, 63)
events = st.tuples(part, part, regions)


@given(events, events)
@example(("a/b", "c", None), ("a", "b/c", None))
@example(("a", "b#1", None), ("a", "b", 1))
@example(("a", "b", 1), ("a", "b", 11))
@example(("a%2Fb", "c", None), ("a/b", "c", None))
@example(("", "a", None), ("a", "", None))
@example(("a", "b c", None), ("a", "b+c", None))
@example(("e\u0301", "x", None), ("é", "x", None))
def test_different_events_have_different_names(
    one: tuple[str, str, int | None], other: tuple[str, str, int | None]
) -> None:
    assert (event_name(*one) == event_name(*other)) == (one == other)


@given(events)
def test_a_name_is_made_of_unreserved_characters(event: tuple[str, str, int | None]) -> None:
    encoded = "[A-Za-z0-9._~-]|%[0-9A-F]{2}"
    name = event_name(*event)
    assert re.fullmatch(f"({encoded})*/({encoded})*(#[0-9]+)?", name)


@given(events)
def test_the_frame_and_the_bare_id_come_out_of_the_name(event: tuple[str, str, int | None]) -> None:
    source, own_id, region = event
    name = event_name(source, own_id, region)
    assert frame_of(name) == event_name(source, own_id)
    assert bare_id(name) == (own_id if region is None else f"{own_id}#{region}")
