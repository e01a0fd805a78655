"""Announcements of clocks' changes are what the contract says, to the byte."""

from __future__ import annotations

import orjson
import pytest

from services.sla_monitor.announcements import clocks_changed, payload_of
from services.sla_monitor.domain.clocks import Acknowledgement, Transition
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
def test_a_transition_is_announced_with_all_that_the_contract_holds(
    change: ClockChange, clock: str, step: str | None
) -> None:
    for rep in ("grace", None):
        transition = Transition(CLOCKS[clock]._replace(rep=rep), change, NOON, step)
        [record] = clocks_changed([transition], now=LATER)
        fields = orjson.loads(record.value)
        optional = {"rep": rep, "step": step, "lasts_s": None, "actor": None, "note": None}
        absent = {name for name, value in optional.items() if value is None}
        assert fields.keys() == set(SlaChanged.__struct_fields__) - absent
        payload = SLA_CHANGED.codec.decode(record.value)
        assert payload == payload_of(transition, now=LATER)
        assert payload.detected_at == LATER


def test_an_announcement_has_the_handoffs_key_and_trace() -> None:
    clock = CLOCKS["touch/1"]._replace(traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    [sent] = clocks_changed([Transition(clock, ClockChange.BREACHED, NOON)], now=LATER)
    message = SLA_CHANGED.decode(Record(sent.topic, 0, 0, sent.key, sent.value, sent.headers))
    assert (message.id, message.source, message.time) == (
        f"{clock.id}/breached",
        "leadbaton/sla",
        LATER,
    )
    assert message.key == str(clock.handoff_id) == SLA_CHANGED.key(message.payload)
    assert trace_id(message.traceparent) == "a" * 32


def test_an_acknowledgement_is_announced_with_its_actor_and_note() -> None:
    clock = CLOCKS["touch/1"]
    acknowledgement = Acknowledgement(clock.id, LATER, "ops/maria", "called the lead myself")
    transition = Transition(clock, ClockChange.ACKNOWLEDGED, LATER, acknowledgement=acknowledgement)

    [sent] = clocks_changed([transition], now=LATER)

    message = SLA_CHANGED.decode(Record(sent.topic, 0, 0, sent.key, sent.value, sent.headers))
    assert message.id == f"{clock.id}/acknowledged"
    assert (message.payload.actor, message.payload.note) == ("ops/maria", "called the lead myself")
    assert message.payload.occurred_at == LATER
