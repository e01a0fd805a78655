"""Qualified leads become handoffs: each exactly one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from services.routing.domain.handoff import State, handoff_id
from services.routing.handlers import on_leads_qualified
from services.routing.queries import delivery_lists, handoffs
from shared.contracts.payloads import Change, Qualified
from tests.builders import NOON, an_id, lead_qualified, qualified_message
from tests.services.routing.builders import (
    announced,
    announced_changes,
    build_assigner,
    count_by_state,
    entry,
    importing,
    qualifying,
)

pytestmark = pytest.mark.postgres

ONE_OPEN = {"capacity": {"open": 1}}
LATER = NOON + timedelta(minutes=5)


def test_a_qualified_lead_goes_to_one_rep_who_is_notified(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))

    qualifying(session, assigner, lead_qualified(lead="ada"))

    [change] = announced(session)
    assert (change.change, change.rep, change.hop, change.sequence) == (
        Change.ASSIGNED,
        "grace",
        1,
        1,
    )
    assert (change.assigned_at, change.recorded_at) == (NOON, NOON)
    [delivery] = delivery_lists.list_deliveries(session, limit=9)
    assert (delivery.endpoint, delivery.type, delivery.state) == (
        "rep/grace",
        "handoff.assigned",
        "pending",
    )


def test_the_same_qualification_again_changes_nothing(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    for _ in range(2):
        qualifying(session, assigner, *[lead_qualified(lead="ada")] * 2)

    assert announced_changes(session) == [("assigned", "grace")]
    assert len(delivery_lists.list_deliveries(session, limit=9)) == 1


def test_a_second_qualification_is_merged_into_the_live_handoff(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"))
    qualifying(session, assigner, lead_qualified(), lead_qualified(qualification=2))
    qualifying(session, assigner, lead_qualified(qualification=2))

    assert announced_changes(session) == [("returned", None), ("assigned", "grace")]
    merged = handoffs.find_handoff(session, handoff_id(an_id("ada"), 2))
    assert merged is not None
    assert (merged.state, merged.merged_into) == (State.MERGED, handoff_id(an_id("ada"), 1))
    assert count_by_state(session) == {State.MERGED: 1, State.ASSIGNED: 1}


def test_a_waiting_handoff_ends_when_its_lead_ceases_to_qualify(session: Session) -> None:
    assigner = build_assigner(session)
    qualifying(session, assigner, lead_qualified())

    qualifying(session, assigner, lead_qualified(change=Qualified.CEASED, cause="decayed"))

    assert announced_changes(session) == [("waiting", None), ("returned", None)]
    assert announced(session)[-1].reason == "decayed"


def test_an_unknown_lead_that_ceased_and_an_empty_batch_change_nothing(session: Session) -> None:
    assigner = build_assigner(session)

    qualifying(session, assigner, lead_qualified(change=Qualified.CEASED))
    qualifying(session, assigner)
    handoffs.save_rulings(session, [])

    assert announced_changes(session) == []


def test_a_rep_keeps_a_lead_that_ceased_to_qualify(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"))
    qualifying(session, assigner, lead_qualified(), lead_qualified(change=Qualified.CEASED))
    qualifying(session, assigner, lead_qualified(lead="alan"))

    qualifying(session, assigner, lead_qualified(lead="alan", change=Qualified.CEASED))

    assert announced_changes(session) == [("returned", None), ("assigned", "grace")]


def test_changes_of_one_lead_in_one_batch_take_effect_in_order(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"))

    qualifying(
        session,
        assigner,
        lead_qualified(),
        lead_qualified(change=Qualified.CEASED, cause="suppressed"),
        lead_qualified(qualification=2),
    )

    assert [(it.qualification, it.change) for it in announced(session)] == [
        (1, Change.RETURNED),
        (2, Change.ASSIGNED),
    ]


def test_the_trace_of_the_message_goes_on_in_the_announcement(session: Session) -> None:
    assigner = build_assigner(session)
    message = qualified_message(lead_qualified())
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    on_leads_qualified(session, [message._replace(traceparent=trace)], NOON, assigner=assigner)

    handoff = handoffs.find_handoff(session, handoff_id(an_id("ada"), 1))
    assert handoff is not None
    assert handoff.traceparent == trace
