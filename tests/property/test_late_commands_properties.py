"""Commands replayed from any point, any number of times, change nothing more."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadInput
from schemas.gallery import Action, Erase, GalleryCommand, Move, Quarantine
from streams.gallery.holdings import Holdings
from tests.gallery_entries import CAPTURED, command, enrol, plain_holdings
from tests.unit.test_streams_late_commands import PLANNER, take

NAMES = st.sampled_from(["oak", "elm", "fir"])
IDS = st.sampled_from(["a", "b", "c"])
some_ids = st.lists(IDS, max_size=2, unique=True).map(tuple)
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Erase, entry_ids=some_ids),
    st.builds(Quarantine, entry_ids=some_ids),
    st.builds(Move, action=st.just("split"), to=NAMES, entry_ids=some_ids),
)
asked = st.one_of(st.builds(enrol, IDS, NAMES, st.just([1, 0])), st.builds(command, NAMES, actions))


def play(holdings: Holdings, commands: list[GalleryCommand]) -> None:
    for one in commands:
        try:
            take(holdings, PLANNER.plan(one, holdings))
        except BadInput:
            continue


@given(st.lists(asked, max_size=12), st.lists(st.integers(0, 12), max_size=3))
def test_a_replay_changes_nothing(commands: list[GalleryCommand], starts: list[int]) -> None:
    dated = [
        one.model_copy(update={"decided_at": CAPTURED + timedelta(days=n)})
        for n, one in enumerate(commands, 1)
    ]
    holdings = plain_holdings()
    play(holdings, dated)
    before = {e.entry_id: (e.identity, e.status, e.decided_at) for e in holdings}
    position = holdings.position
    for start in starts:
        play(holdings, dated[start:])
    after = {e.entry_id: (e.identity, e.status, e.decided_at) for e in holdings}
    assert after == before
    assert holdings.position == position, "nor is anything written"
