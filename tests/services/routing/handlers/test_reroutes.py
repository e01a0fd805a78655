"""Re-routes: a plan changes nothing, a confirmed one is carried out once, whoever is killed or moves on meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer, HandoffMoved
from services.routing.domain.assignment.request import UnknownRep
from services.routing.domain.handoff import State
from services.routing.domain.reassignment import Reassignment
from services.routing.domain.reroutes import MoveOutcome, Reroute, RerouteEnded, RerouteState
from services.routing.handlers import Assigner, on_answer, tick
from services.routing.handlers.reroutes import (
    RerouteRunning,
    UnknownReroute,
    advance_reroutes,
    cancel_reroute,
    confirm_reroute,
    find_reroute,
    plan_reroute,
)
from services.routing.queries.handoffs import held_by, held_of
from services.routing.queries.reroutes import moves_of, progress_of
from services.routing.tables import deliveries
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import NOON, lead_qualified
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

COMMAND = Reassignment("ops/olga", "has left")
LATER = NOON + timedelta(minutes=1)


def grace_holds(session: Session, *others: dict[str, object], leads: int = 5) -> Assigner:
    """Grace has all leads, then the others come."""
    assigner = build_assigner(session)
    importing(session, entry("grace"))
    qualifying(session, assigner, *(lead_qualified(lead=f"l{n}") for n in range(leads)))
    importing(session, entry("grace"), *others)
    return assigner


def planned(session: Session, assigner: Assigner, rep: str = "grace") -> Reroute:
    return plan_reroute(session, rep, command=COMMAND, assigner=assigner, now=NOON)


def advanced(session: Session, assigner: Assigner, *, limit: int = 2) -> list[int]:
    """How many moves each part has, until there are no more."""
    parts = [0]
    while count := advance_reroutes(session, assigner=assigner, now=LATER, limit=limit):
        parts.append(count)
    return parts[1:]


def test_a_plan_says_who_would_get_what_and_changes_nothing(session: Session) -> None:
    assigner = grace_holds(session, entry("linus", capacity={"open": 2}), entry("mara"))
    before = announced(session)

    reroute = planned(session, assigner)

    progress = progress_of(session, reroute.id)
    assert (reroute.state, reroute.rep, progress.total) == (RerouteState.PLANNED, "grace", 5)
    assert progress.planned == {"linus": 2, "mara": 3}
    assert (progress.outcomes, progress.pending) == ({}, 5)
    assert advance_reroutes(session, assigner=assigner, now=LATER) == 0
    assert announced(session) == before
    assert held_by(session, ["grace", "linus", "mara"]) == {"grace": 5}


def test_a_confirmed_plan_is_carried_out_as_planned_some_at_a_time(session: Session) -> None:
    assigner = grace_holds(session, entry("linus", capacity={"open": 2}), entry("mara"))
    reroute = planned(session, assigner)
    confirm_reroute(session, reroute.id, now=NOON)

    assert advanced(session, assigner) == [2, 2, 1]

    moves = moves_of(session, reroute.id, limit=9)
    assert [it.rep for it in moves] == [it.planned_rep for it in moves]
    assert {it.outcome for it in moves} == {MoveOutcome.REASSIGNED}
    ended = find_reroute(session, reroute.id)
    assert (ended.state, ended.ended_at) == (RerouteState.DONE, LATER)
    assert held_by(session, ["grace", "linus", "mara"]) == {"linus": 2, "mara": 3}
    steps = [it for it in announced(session) if it.change is Change.REASSIGNED]
    assert {(it.actor, it.reason, it.hop) for it in steps} == {("ops/olga", "has left", 2)}
    assert len(steps) == len({it.handoff_id for it in steps}) == 5
    withdrawn = select(deliveries.c.endpoint).where(deliveries.c.type == "handoff.withdrawn")
    assert session.scalars(withdrawn).all() == ["rep/grace"] * 5


def test_what_nobody_may_have_waits_and_never_comes_back_to_the_rep(session: Session) -> None:
    assigner = grace_holds(session, entry("linus", capacity={"open": 1}), leads=3)
    reroute = planned(session, assigner)
    assert progress_of(session, reroute.id).planned == {"linus": 1, None: 2}
    confirm_reroute(session, reroute.id, now=NOON)

    assert tick(session, LATER, assigner=assigner)
    assert not tick(session, LATER, assigner=assigner)

    outcomes = progress_of(session, reroute.id).outcomes
    assert outcomes == {MoveOutcome.REASSIGNED: 1, MoveOutcome.WAITING: 2}
    assert held_by(session, ["grace", "linus"]) == {"linus": 1}
    assert count_by_state(session) == {State.ASSIGNED: 1, State.WAITING: 2}


def test_the_room_that_the_rep_has_now_is_used_for_leads_that_wait(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", capacity={"open": 1}))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in "ab"))
    importing(session, entry("grace", capacity={"open": 1}), entry("linus", capacity={"open": 1}))
    tick(session, NOON, assigner=assigner)
    qualifying(session, assigner, lead_qualified(lead="c"))
    reroute = planned(session, assigner)
    confirm_reroute(session, reroute.id, now=NOON)

    while tick(session, LATER, assigner=assigner):
        pass

    assert held_by(session, ["grace", "linus"]) == {"grace": 1, "linus": 1}
    assert count_by_state(session) == {State.ASSIGNED: 2, State.WAITING: 1}


def test_what_the_rep_does_not_hold_any_more_is_skipped(session: Session) -> None:
    assigner = grace_holds(session, entry("linus"), leads=3)
    reroute = planned(session, assigner)
    first, second, _ = held_of(session, "grace", limit=9)
    for handoff, answer in (
        (first, Answer(Change.LOST, details={"reason": "price"})),
        (second, Answer(Change.REJECTED, details={"reason": "no_capacity"})),
    ):
        grace = Actor("rep", "grace")
        on_answer(session, handoff.id, answer, actor=grace, assigner=assigner, now=NOON)
    confirm_reroute(session, reroute.id, now=NOON)

    assert advanced(session, assigner, limit=9) == [3]

    outcomes = [it.outcome for it in moves_of(session, reroute.id, limit=9)]
    assert outcomes == [MoveOutcome.SKIPPED, MoveOutcome.SKIPPED, MoveOutcome.REASSIGNED]
    assert held_by(session, ["linus"]) == {"linus": 2}


def test_a_cancelled_one_stops_where_it_is(session: Session) -> None:
    assigner = grace_holds(session, entry("linus"))
    reroute = planned(session, assigner)
    confirm_reroute(session, reroute.id, now=NOON)
    assert advance_reroutes(session, assigner=assigner, now=LATER, limit=2) == 2

    for _ in range(2):
        cancelled = cancel_reroute(session, reroute.id, now=LATER)

    assert (cancelled.state, cancelled.ended_at) == (RerouteState.CANCELLED, LATER)
    assert advanced(session, assigner) == []
    assert held_by(session, ["grace", "linus"]) == {"grace": 3, "linus": 2}
    with pytest.raises(RerouteEnded):
        confirm_reroute(session, reroute.id, now=LATER)


def test_one_that_is_done_cannot_be_cancelled_and_is_confirmed_in_vain(session: Session) -> None:
    assigner = grace_holds(session, leads=0)
    reroute = planned(session, assigner)
    confirm_reroute(session, reroute.id, now=NOON)
    assert advanced(session, assigner) == []

    done = confirm_reroute(session, reroute.id, now=LATER)

    assert (done.state, done.confirmed_at) == (RerouteState.DONE, NOON)
    with pytest.raises(RerouteEnded):
        cancel_reroute(session, reroute.id, now=LATER)


def test_a_new_plan_replaces_the_last_and_waits_for_a_running_one(session: Session) -> None:
    assigner = grace_holds(session, entry("linus"))
    first = planned(session, assigner)
    second = planned(session, assigner)
    with pytest.raises(UnknownReroute):
        confirm_reroute(session, first.id, now=NOON)
    confirm_reroute(session, second.id, now=NOON)
    third = planned(session, assigner)

    with pytest.raises(RerouteRunning):
        confirm_reroute(session, third.id, now=NOON)

    advanced(session, assigner)
    assert confirm_reroute(session, third.id, now=NOON).state is RerouteState.RUNNING


@pytest.mark.parametrize("act", [confirm_reroute, cancel_reroute], ids=["confirm", "cancel"])
def test_unknown_ones_are_refused(session: Session, act: Callable[..., object]) -> None:
    with pytest.raises(UnknownReroute):
        act(session, uuid4(), now=NOON)
    with pytest.raises(UnknownRep):
        planned(session, build_assigner(session), rep="nobody")


def test_workers_that_are_killed_in_a_part_move_each_handoff_once(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assigner = grace_holds(session, *(entry(f"rep_{n}") for n in range(4)), leads=60)
        reroute = planned(session, assigner)
        confirm_reroute(session, reroute.id, now=NOON)

    def work(worker: int) -> None:
        """Each third part ends without a commit, as one whose process is killed."""
        part, state = worker, RerouteState.RUNNING
        while state is RerouteState.RUNNING:
            with sessions() as session:
                part += advance_reroutes(session, assigner=assigner, now=LATER, limit=5) > 0
                if part % 3:
                    session.commit()
            with sessions() as session:
                state = find_reroute(session, reroute.id).state

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))

    with sessions() as session:
        assert find_reroute(session, reroute.id).state is RerouteState.DONE
        assert progress_of(session, reroute.id).outcomes == {MoveOutcome.REASSIGNED: 60}
        moved = [it for it in announced(session) if it.change is Change.REASSIGNED]
        assert len(moved) == len({it.handoff_id for it in moved}) == 60
        holders = held_by(session, ["grace", *(f"rep_{n}" for n in range(4))])
    assert holders == {f"rep_{n}": 15 for n in range(4)}


def test_answers_beside_a_re_route_lose_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assigner = grace_holds(session, entry("linus"), entry("mara"), leads=40)
        handoffs = held_of(session, "grace", limit=99)
        reroute = planned(session, assigner)
        confirm_reroute(session, reroute.id, now=NOON)

    def reject(start: int) -> None:
        answer = Answer(Change.REJECTED, details={"reason": "no_capacity"})
        for handoff in handoffs[start::2]:
            with sessions.begin() as session:
                olga = Actor("ops", "olga")
                with suppress(HandoffMoved):  # it waits for somebody by now
                    on_answer(session, handoff.id, answer, actor=olga, assigner=assigner, now=LATER)

    def advance(_: int) -> None:
        for _ in range(30):
            with sessions.begin() as session:
                tick(session, LATER, assigner=assigner)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(reject, 0), pool.submit(reject, 1), pool.submit(advance, 0)]:
            done.result()

    with sessions() as session:
        states = count_by_state(session)
        assert sum(states.values()) == 40
        holders = Counter(held_by(session, ["grace", "linus", "mara"]))
        assert holders["grace"] == 0
        assert holders.total() + states.get(State.WAITING, 0) == 40
        assert len(announced_changes(session)) >= 80
