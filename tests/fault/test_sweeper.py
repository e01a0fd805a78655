"""Faults of the sweep: it is down for an hour, and two of them lose their connections in turn."""

from __future__ import annotations

import time
from contextlib import ExitStack
from threading import Event

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from services.cli.processes import SLA_SWEEP
from shared.db.session import Sessions
from tests.fault.audit import reading
from tests.fault.processes import cut_connections, one_more, without
from tests.fault.proof import Disturbance, Proof
from tests.fault.stream import FULL
from tests.journey.world import until

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.postgres]

_READY = text("""
    select count(*) from sla.clocks clock
    where kind = 'accept' and lead_id in (select lead_id from scoring.events where id like :events)
""")
_ASSIGNED = text("""
    select count(*) from routing.handoffs
    where rep is not null and team <> 'full'
        and lead_id in (select lead_id from scoring.events where id like :events)
""")
_AN_HOUR_PASSES = text("""
    with earlier as (
        update sla.clocks set
            started_at = started_at - interval '1 hour', warn_at = warn_at - interval '1 hour',
            due_at = due_at - interval '1 hour'
        where kind = 'accept'
            and lead_id in (select lead_id from scoring.events where id like :events)
        returning id
    )
    update sla.timers set fire_at = fire_at - interval '1 hour'
    from earlier where clock_id = earlier.id
""")
_OVERDUE = text("select count(*) from sla.timers where fire_at <= now()")


def test_after_an_hour_without_a_sweeper_all_is_flagged_at_once_with_the_due_time(
    proof: Proof,
) -> None:
    downtime = ExitStack()

    def start_again(disturbance: Disturbance) -> None:
        parameters = {"events": f"{disturbance.stream.tag}/%"}
        with reading(disturbance.world) as sessions:
            until(
                lambda: _all_clocks_run(disturbance, parameters), within_s=90, why="all clocks run"
            )
            until(lambda: _an_hour_passes(sessions, parameters), why="an hour has passed")
            began = time.monotonic()
            downtime.close()
            until(lambda: _none_overdue(disturbance), why="all flagged")
            disturbance.recover_s.append(time.monotonic() - began)

    with downtime:
        downtime.enter_context(without(proof.world, SLA_SWEEP))
        fault = "the sweeper down for an hour"
        with proof.disturb(fault, "slept", expect=start_again) as disturbance:
            disturbance.times = 1


def _an_hour_passes(sessions: Sessions, parameters: dict[str, str]) -> bool:
    """Move the clocks by an hour; False when another transaction holds their rows, so that it must be tried again."""
    try:
        with sessions.begin() as session:
            session.execute(_AN_HOUR_PASSES, parameters)
    except OperationalError:
        return False
    return True


def _all_clocks_run(disturbance: Disturbance, parameters: dict[str, str]) -> bool:
    with reading(disturbance.world) as sessions, sessions() as session:
        assigned = session.scalar(_ASSIGNED, parameters)
        handoffs = session.scalar(
            text(
                "select count(*) from routing.handoffs"
                " where lead_id in (select lead_id from scoring.events where id like :events)"
            ),
            parameters,
        )
        return bool(
            handoffs == disturbance.stream.qualified()
            and session.scalar(_READY, parameters) == assigned
        )


def _none_overdue(disturbance: Disturbance) -> bool:
    with reading(disturbance.world) as sessions, sessions() as session:
        return bool(session.scalar(_OVERDUE) == 0)


def test_two_sweepers_lose_their_connections_in_turn_and_fire_each_clock_once(
    proof: Proof,
) -> None:
    times = 20 if FULL else 8
    with (
        proof.disturb("two sweepers cut off in turn", "sweepers") as disturbance,
        one_more(disturbance.world, SLA_SWEEP) as [second],
        reading(disturbance.world) as sessions,
    ):
        disturbance.wait_for_flow()
        for time_ in range(times):
            with sessions() as session:
                cut_connections(session, f"leadbaton-{(SLA_SWEEP.name, second)[time_ % 2]}")
            disturbance.times += 1
            Event().wait(disturbance.chance.uniform(0.1, 0.7))
