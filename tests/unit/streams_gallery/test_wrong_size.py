"""The first enrolment of a model may be of the wrong size: it is not for ever."""

import numpy as np
import pytest

from schemas.errors import BadInput
from schemas.gallery import Erase, Quarantine
from schemas.metrics import Metrics
from schemas.recognition_event import ReviewItem, ReviewReason
from schemas.settings import load_settings
from streams.conditioning.placement import Placements
from streams.matching.matcher import Matcher
from tests.fake_log import FakeLog
from tests.gallery_entries import command, enrol
from tests.services.kafka import embedding
from tests.unit.streams_gallery.agent import AXES, TRAIL, FragileIndex, Make, quarantined, sent

WRONG = enrol("wrong", "elm", np.array([1.0, 0.0], np.float32))


def matcher(index: FragileIndex, metrics: Metrics) -> Matcher:
    return Matcher(load_settings(neighbours=3), metrics, index, Placements(()))


async def test_the_right_ones_are_taken_after_a_wrong_one(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    agent = make()
    await agent.handle(sent(WRONG))
    await agent.handle(sent(*TRAIL))
    assert set(await index.held()) == {"oak-0", "oak-1", "oak-2"}
    assert set(quarantined(log)) == {"wrong"}
    await make().tick()
    assert set(await index.held()) == {"oak-0", "oak-1", "oak-2"}
    with pytest.raises(BadInput, match="have 4"):
        await make().handle(sent(enrol("again", "elm", [1, 0])))


@pytest.mark.parametrize("action", [Erase(), Quarantine()])
async def test_a_model_without_an_active_entry_has_no_size(
    make: Make, index: FragileIndex, action: Erase | Quarantine
) -> None:
    agent = make()
    await agent.handle(sent(WRONG, enrol("also", "elm", [0, 1]), command("elm", action)))
    await agent.handle(sent(*TRAIL))
    assert set(await index.held()) == {"oak-0", "oak-1", "oak-2"}


async def test_a_probe_of_another_size_than_a_single_entry_is_asked_about(
    make: Make, index: FragileIndex, metrics: Metrics
) -> None:
    await make().handle(sent(WRONG))
    probe, own = embedding("p", AXES[0]), embedding("q", [0, 1])
    first, second = await matcher(index, metrics).handle([probe.record("e"), own.record("e")])
    item = ReviewItem.read(first)
    assert (item.event_id, item.reason) == ("p", ReviewReason.OTHER_MODEL)
    assert item.candidates == ()
    assert ReviewItem.read(second).event_id == "q"
    await make().handle(sent(enrol("wrong-2", "elm", [0, 1])))
    with pytest.raises(BadInput, match="4 numbers"):
        await matcher(index, metrics).handle([probe.record("e")])
