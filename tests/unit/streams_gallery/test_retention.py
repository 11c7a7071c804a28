"""The gallery agent and retention: into quarantine with the reason, and back."""

from datetime import timedelta

import pytest

from recognition.retain import RetentionRule
from schemas.event import now
from schemas.gallery import (
    Restore,
)
from schemas.metrics import Metrics
from tests.fake_log import FakeLog
from tests.gallery_entries import command, enrol
from tests.unit.streams_gallery.agent import (
    AXES,
    ELM,
    OLD,
    TRAIL,
    FragileIndex,
    Make,
    entries_of,
    quarantined,
    sent,
)


async def test_the_newest_stay_and_the_oldest_goes_to_quarantine(
    make: Make, log: FakeLog, index: FragileIndex, metrics: Metrics
) -> None:
    agent = make(rule=RetentionRule(newest=2, mad_cutoff=None))
    days = [OLD + timedelta(days=day) for day in (2, 0, 1)]
    await agent.handle(
        sent(*(enrol(f"oak-{i}", "oak", AXES[i], captured_at=at) for i, at in enumerate(days)), ELM)
    )
    assert quarantined(log) == {"oak-1": "retention: count"}
    assert entries_of(log)["oak-1"].actor == "retention"
    assert set(await index.held()) == {"oak-0", "oak-2", "elm-0"}
    removals = metrics.registry.get_sample_value(
        "perennial_retention_removals_total", {"reason": "count"}
    )
    assert removals == 1


async def test_an_outlier_goes_to_quarantine(make: Make, log: FakeLog, index: FragileIndex) -> None:
    agent = make(rule=RetentionRule(newest=None, mad_cutoff=3.5, mad_min=5))
    close = [enrol(f"oak-{i}", "oak", AXES[0] + 0.01 * i * AXES[1]) for i in range(5)]
    await agent.handle(sent(*close, enrol("far", "oak", AXES[2])))
    assert quarantined(log) == {"far": "retention: mad"}
    assert "far" not in await index.held()


async def test_age_is_looked_at_now_and_then(
    make: Make, log: FakeLog, index: FragileIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = RetentionRule(max_age=timedelta(days=40), newest=None, mad_cutoff=None)
    recent = enrol("elm-0", "elm", AXES[1], captured_at=now())
    seldom, often = make(rule=rule), make(rule=rule, interval=timedelta(0))
    await seldom.handle(sent(enrol("oak-0", "oak", AXES[0], captured_at=OLD), recent))
    monkeypatch.setattr("streams.gallery.agent.now", lambda: now() + timedelta(days=11))
    await seldom.tick()
    assert quarantined(log) == {}
    await often.tick()
    assert quarantined(log) == {"oak-0": "retention: age"}
    assert set(await index.held()) == {"elm-0"}


async def test_retention_that_was_carried_out_plans_nothing_again(make: Make, log: FakeLog) -> None:
    agent = make(rule=RetentionRule(newest=1, mad_cutoff=None), interval=timedelta(0))
    await agent.handle(sent(*TRAIL))
    end = log.end
    await agent.tick()
    await agent.handle(sent(*TRAIL))
    assert log.end == end == 5


@pytest.mark.parametrize(
    "rule",
    [
        RetentionRule(newest=2, mad_cutoff=None),
        RetentionRule(newest=None, mad_cutoff=3.5, mad_min=5),
        RetentionRule(max_age=timedelta(days=20), newest=None, mad_cutoff=None),
    ],
    ids=["count", "mad", "age"],
)
async def test_what_a_person_restores_stays(
    make: Make, log: FakeLog, index: FragileIndex, rule: RetentionRule
) -> None:
    """Restorable means that a person's word outranks the rule that took the entry out."""
    agent = make(rule=rule, interval=timedelta(0))
    close = [
        enrol(f"oak-{i}", "oak", AXES[0] + 0.01 * i * AXES[1], captured_at=now()) for i in range(5)
    ]
    out = enrol("far", "oak", AXES[2], captured_at=OLD)
    await agent.handle(sent(*close[: rule.newest or 5], out))
    assert set(quarantined(log)) == {"far"}
    await agent.handle(sent(command("oak", Restore(entry_ids=("far",)))))
    await agent.tick()
    assert "far" in await index.held()
