"""What is said about clocks is what the contract says, to the byte."""

from __future__ import annotations

import orjson
import pytest

from services.sla_monitor.announcements import announcements, written
from services.sla_monitor.domain.clocks import Transition
from shared.contracts.codec import encode
from shared.contracts.payloads import Change, ClockChange, SlaChanged
from shared.contracts.topic import Record
from shared.contracts.topics import SLA_CHANGED
from shared.process.tracing import trace_id
from tests.builders import NOON
from tests.services.sla_monitor.builders import (
    JOURNEY,
    TOUCH,
    derived_clocks,
    minutes_after_noon,
    step,
)

CLOCKS = derived_clocks([step(Change.ASSIGNED)], TOUCH, JOURNEY)
LATER = minutes_after_noon(61.001)


@pytest.mark.parametrize("change", ClockChange)
@pytest.mark.parametrize("clock", ["touch/1", "journey/0"])
@pytest.mark.parametrize("step", [None, "ops"])
def test_a_step_is_written_as_the_contract_writes_it(
    change: ClockChange, clock: str, step: str | None
) -> None:
    for rep in ("grace", None):
        said = Transition(CLOCKS[clock]._replace(rep=rep), change, NOON, step)
        wrote = written(said, now=LATER)
        read = SLA_CHANGED.codec.decode(wrote)
        assert encode(read) == wrote
        assert read.detected_at == LATER


def test_nothing_that_the_contract_knows_is_left_out() -> None:
    wrote = written(Transition(CLOCKS["touch/1"], ClockChange.ESCALATED, NOON, "ops", 1), now=LATER)
    assert orjson.loads(wrote).keys() == set(SlaChanged.__struct_fields__)


def test_an_announcement_has_the_handoffs_key_and_trace() -> None:
    clock = CLOCKS["touch/1"]._replace(traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    [sent] = announcements([Transition(clock, ClockChange.BREACHED, NOON)], now=LATER)
    received = SLA_CHANGED.decode(Record(sent.topic, 0, 0, sent.key, sent.value, sent.headers))
    assert (received.id, received.source, received.time) == (
        f"{clock.id}/breached",
        "leadbaton/sla",
        LATER,
    )
    assert received.key == str(clock.handoff_id) == SLA_CHANGED.key(received.payload)
    assert trace_id(received.traceparent) == "a" * 32
