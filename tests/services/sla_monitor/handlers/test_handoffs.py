"""What changes of handoffs do to clocks, on a real PostgreSQL."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.sla_monitor.domain.clocks import State
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.acknowledgement import on_acknowledgement
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from services.sla_monitor.handlers.handoffs import on_handoffs_changed
from services.sla_monitor.queries.acknowledgements import acknowledgements_of
from services.sla_monitor.queries.lists import ClockFilter, all_clocks
from services.sla_monitor.queries.walks import Slice
from services.sla_monitor.tables import changes
from shared.agreement.store import Policies, UnknownVersion
from shared.contracts.payloads import Change
from shared.contracts.topic import Record
from shared.contracts.topics import HANDOFFS_CHANGED
from shared.db.tables import outbox
from shared.messaging.outbox import decoded_headers
from shared.process.tracing import trace_id
from tests.builders import an_id
from tests.services.sla_monitor.builders import (
    ACCEPT,
    JOURNEY,
    TOUCH,
    announced_changes,
    handle_changes,
    minutes_after_noon,
    next_rep,
    numbered,
    outcome_counts,
    policy,
    publish_policies,
    step,
    stored_clocks,
)

pytestmark = pytest.mark.postgres

ASSIGNED, TIMELY = numbered(step(Change.ASSIGNED), step(Change.CONTACTED, 50))


def announcements(session: Session) -> list[str]:
    return [f"{it.policy} {it.change}" for it in announced_changes(session)]


def test_an_assignment_starts_clocks_and_announces_them(session: Session) -> None:
    version = publish_policies(session, ACCEPT, TOUCH, JOURNEY)
    handle_changes(session, replace(ASSIGNED, agreement_version=version))

    clocks = stored_clocks(session)
    assert set(clocks) == {"accept/1", "touch/1", "journey/0"}
    assert clocks["touch/1"].due_at == minutes_after_noon(60)
    assert sorted(announcements(session)) == ["accept started", "journey started", "touch started"]


def test_the_same_changes_again_change_nothing(session: Session) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED, TIMELY, minute=50)
    before = stored_clocks(session), announced_changes(session), outcome_counts(session)

    handle_changes(session, TIMELY, ASSIGNED, TIMELY, minute=70)

    assert (stored_clocks(session), announced_changes(session), outcome_counts(session)) == before
    assert session.scalar(select(func.count()).select_from(changes)) == 2


def test_an_answer_in_time_that_arrives_late_retracts_the_breach(session: Session) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    assert fire_due_clocks(session, now=minutes_after_noon(61)) == 1
    assert outcome_counts(session) == {"overdue": 1}

    handle_changes(session, TIMELY, minute=120)

    assert announcements(session) == [
        "touch started",
        "touch breached",
        "touch retracted",
        "touch met",
    ]
    clock = stored_clocks(session)["touch/1"]
    assert (clock.state, clock.breached_at, clock.fire_at) == (State.MET, None, None)
    assert (clock.detected_at, clock.retracted_at) == (
        minutes_after_noon(61),
        minutes_after_noon(120),
    )
    assert outcome_counts(session) == {"met": 1}


def test_an_answer_in_time_that_is_reported_late_is_met_and_counted_as_both(
    session: Session,
) -> None:
    publish_policies(session, TOUCH, report_within="1h")
    reported_late = replace(TIMELY, recorded_at=minutes_after_noon(120))

    handle_changes(session, ASSIGNED, reported_late, minute=120)

    clock = stored_clocks(session)["touch/1"]
    assert (clock.state, clock.reported_at, clock.reported_late) == (
        State.MET,
        minutes_after_noon(120),
        True,
    )
    assert outcome_counts(session) == {"met": 1, "reported_late": 1}


def test_a_reassignment_ends_a_breached_clock_and_starts_the_next(session: Session) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    fire_due_clocks(session, now=minutes_after_noon(61))
    handle_changes(session, *numbered(step(Change.ASSIGNED), next_rep(62)), minute=62)

    clocks = stored_clocks(session)
    assert (clocks["touch/1"].state, clocks["touch/2"].state) == (State.CANCELLED, State.RUNNING)
    assert clocks["touch/1"].breached_at == minutes_after_noon(60)
    assert outcome_counts(session) == {"cancelled": 1}


def test_any_order_gives_the_same_clocks(session: Session) -> None:
    publish_policies(session, ACCEPT, TOUCH, JOURNEY)
    second: dict[str, Any] = {"hop": 2, "rep": "linus", "assigned_at": minutes_after_noon(30)}
    steps = [step(Change.ASSIGNED), next_rep(30), step(Change.CONTACTED, 80, **second)]
    for order in itertools.permutations(numbered(*steps)):
        handoff_id = an_id([it.sequence for it in order])
        for change in order:
            of_handoff = replace(change, handoff_id=handoff_id)
            handle_changes(session, of_handoff, of_handoff, minute=200)

    clocks_by_handoff: dict[UUID, set[tuple[object, ...]]] = defaultdict(set)
    for clock in all_clocks(session, ClockFilter(), Slice(limit=100)).clocks:
        clocks_by_handoff[clock.handoff_id].add(
            (clock.policy, clock.hop, clock.state, clock.due_at, clock.ended_at, clock.breached_at)
        )
    assert len(clocks_by_handoff) == 6
    assert len({frozenset(clocks) for clocks in clocks_by_handoff.values()}) == 1
    # Each time accept/1 was due before the reassignment, and accept/2 before the contact.
    assert outcome_counts(session) == {"cancelled": 6, "late": 6, "met": 12}


def test_a_clock_that_an_earlier_change_disproves_is_removed(session: Session) -> None:
    assert publish_policies(session, TOUCH) == 1
    assert publish_policies(session, policy("other")) == 2
    first, second = numbered(step(Change.ASSIGNED), step(Change.ACCEPTED, 1))
    handle_changes(session, replace(second, agreement_version=2), minute=1)
    assert set(stored_clocks(session)) == {"other/1"}
    fire_due_clocks(session, now=minutes_after_noon(61))
    clock_id = stored_clocks(session)["other/1"].id
    on_acknowledgement(
        session, clock_id, actor="ops/maria", note="seen", now=minutes_after_noon(65)
    )

    handle_changes(session, first, minute=70)
    assert set(stored_clocks(session)) == {"touch/1"}
    assert acknowledgements_of(session, [clock_id]) == {}
    assert announcements(session)[-1] == "other retracted"
    assert outcome_counts(session) == {}


def test_a_version_that_was_never_published_is_refused(session: Session) -> None:
    with pytest.raises(UnknownVersion, match="version 7"):
        handle_changes(session, replace(ASSIGNED, agreement_version=7))


def test_clocks_stay_in_the_trace_of_their_lead(session: Session) -> None:
    publish_policies(session, TOUCH)
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    sent = HANDOFFS_CHANGED.encode(
        ASSIGNED, id="1", source="test", at=minutes_after_noon(0), traceparent=trace
    )
    record = Record(sent.topic, 0, 0, sent.key, sent.value, sent.headers)
    message = HANDOFFS_CHANGED.decode(record)
    policies = Policies(SlaPolicy)
    on_handoffs_changed(session, [message], minutes_after_noon(0), policies=policies)
    fire_due_clocks(session, now=minutes_after_noon(61))
    headers = session.scalars(select(outbox.c.headers).order_by(outbox.c.id))
    traces = [dict(decoded_headers(it))["traceparent"].decode() for it in headers]
    assert {trace_id(it) for it in traces} == {"a" * 32}
    assert len(set(traces)) == 2
