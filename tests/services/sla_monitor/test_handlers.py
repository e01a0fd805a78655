"""What changes of handoffs do to clocks, on a real PostgreSQL."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.sla_monitor.domain.clocks import State
from services.sla_monitor.handlers import on_handoffs_changed
from services.sla_monitor.queries.reports import Slice, Which, all_clocks
from services.sla_monitor.sweep import sweep_once
from services.sla_monitor.tables import changes
from shared.agreement.store import Agreements, UnknownVersion
from shared.contracts.payloads import Change
from shared.contracts.topic import Record
from shared.contracts.topics import HANDOFFS_CHANGED
from shared.db.tables import outbox
from shared.messaging.outbox import read
from shared.process.tracing import trace_id
from tests.builders import an_id
from tests.services.sla_monitor.promises import (
    ACCEPT,
    JOURNEY,
    TOUCH,
    heard,
    next_rep,
    noon_and,
    policy,
    publishing,
    said,
    saved,
    step,
    tallied,
    walked,
)

pytestmark = pytest.mark.postgres

ASSIGNED, TIMELY = walked(step(Change.ASSIGNED), step(Change.CONTACTED, 50))


def changes_said(session: Session) -> list[str]:
    return [f"{it.policy} {it.change}" for it in said(session)]


def test_an_assignment_starts_clocks_and_says_so(session: Session) -> None:
    version = publishing(session, ACCEPT, TOUCH, JOURNEY)
    heard(session, ASSIGNED.model_copy(update={"agreement_version": version}))

    clocks = saved(session)
    assert set(clocks) == {"accept/1", "touch/1", "journey/0"}
    assert clocks["touch/1"].due_at == noon_and(60)
    assert sorted(changes_said(session)) == ["accept started", "journey started", "touch started"]


def test_hearing_it_again_changes_nothing(session: Session) -> None:
    publishing(session, TOUCH)
    heard(session, ASSIGNED, TIMELY, minute=50)
    before = saved(session), said(session), tallied(session)

    heard(session, TIMELY, ASSIGNED, TIMELY, minute=70)

    assert (saved(session), said(session), tallied(session)) == before
    assert session.scalar(select(func.count()).select_from(changes)) == 2


def test_an_answer_in_time_that_arrives_late_takes_the_breach_back(session: Session) -> None:
    publishing(session, TOUCH)
    heard(session, ASSIGNED)
    assert sweep_once(session, now=noon_and(61)) == 1
    assert tallied(session) == {"overdue": 1}

    heard(session, TIMELY, minute=120)

    assert changes_said(session) == [
        "touch started",
        "touch breached",
        "touch retracted",
        "touch met",
    ]
    clock = saved(session)["touch/1"]
    assert (clock.state, clock.breached_at, clock.fire_at) == (State.MET, None, None)
    assert (clock.detected_at, clock.retracted_at) == (noon_and(61), noon_and(120))
    assert tallied(session) == {"met": 1}


def test_a_reassignment_ends_a_breached_clock_and_starts_the_next(session: Session) -> None:
    publishing(session, TOUCH)
    heard(session, ASSIGNED)
    sweep_once(session, now=noon_and(61))
    heard(session, *walked(step(Change.ASSIGNED), next_rep(62)), minute=62)

    clocks = saved(session)
    assert (clocks["touch/1"].state, clocks["touch/2"].state) == (State.CANCELLED, State.RUNNING)
    assert clocks["touch/1"].breached_at == noon_and(60)
    assert tallied(session) == {"cancelled": 1}


def test_any_order_gives_the_same_clocks(session: Session) -> None:
    publishing(session, ACCEPT, TOUCH, JOURNEY)
    second: dict[str, Any] = {"hop": 2, "rep": "linus", "assigned_at": noon_and(30)}
    steps = [step(Change.ASSIGNED), next_rep(30), step(Change.CONTACTED, 80, **second)]
    for order in itertools.permutations(walked(*steps)):
        handoff_id = an_id([it.sequence for it in order])
        for it in order:
            one = it.model_copy(update={"handoff_id": handoff_id})
            heard(session, one, one, minute=200)

    became: dict[UUID, set[tuple[object, ...]]] = defaultdict(set)
    for clock in all_clocks(session, Which(), Slice(limit=100), state=None):
        became[clock.handoff_id].add(
            (clock.policy, clock.hop, clock.state, clock.due_at, clock.end, clock.breached_at)
        )
    assert len(became) == 6
    assert len({frozenset(clocks) for clocks in became.values()}) == 1
    # Each time accept/1 was due before the reassignment, and accept/2 before the contact.
    assert tallied(session) == {"cancelled": 6, "late": 6, "met": 12}


def test_a_clock_that_an_earlier_change_denies_is_forgotten(session: Session) -> None:
    assert publishing(session, TOUCH) == 1
    assert publishing(session, policy("other")) == 2
    first, second = walked(step(Change.ASSIGNED), step(Change.ACCEPTED, 1))
    heard(session, second.model_copy(update={"agreement_version": 2}), minute=1)
    assert set(saved(session)) == {"other/1"}
    sweep_once(session, now=noon_and(61))

    heard(session, first, minute=70)
    assert set(saved(session)) == {"touch/1"}
    assert changes_said(session)[-1] == "other retracted"
    assert tallied(session) == {}


def test_a_version_that_was_never_published_is_refused(session: Session) -> None:
    with pytest.raises(UnknownVersion, match="version 7"):
        heard(session, ASSIGNED.model_copy(update={"agreement_version": 7}))


def test_clocks_stay_in_the_trace_of_their_lead(session: Session) -> None:
    publishing(session, TOUCH)
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    sent = HANDOFFS_CHANGED.encode(
        ASSIGNED, id="1", source="test", at=noon_and(0), traceparent=trace
    )
    arrived = Record(sent.topic, 0, 0, sent.key, sent.value, sent.headers)
    on_handoffs_changed(
        session, [HANDOFFS_CHANGED.decode(arrived)], noon_and(0), agreements=Agreements()
    )
    sweep_once(session, now=noon_and(61))
    headers = session.scalars(select(outbox.c.headers).order_by(outbox.c.id))
    traces = [dict(read(it))["traceparent"].decode() for it in headers]
    assert {trace_id(it) for it in traces} == {"a" * 32}
    assert len(set(traces)) == 2
