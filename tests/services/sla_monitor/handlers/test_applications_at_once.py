"""Applications beside sweeps and changes of handoffs, and processes that end within them, on a real PostgreSQL."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier, Event

import pytest
from msgspec.structs import replace

from services.sla_monitor.domain.applications import ApplicationState, Effect
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.applications import find_application
from services.sla_monitor.main import apply_agreement
from services.sla_monitor.sweep import Sweeper
from shared.agreement.store import Policies
from shared.contracts.payloads import Change, ClockChange
from shared.db.session import Sessions
from tests.builders import an_id
from tests.services.sla_monitor.applying import advance, assigned, begin
from tests.services.sla_monitor.builders import (
    TOUCH,
    announced_changes,
    handle_changes,
    minutes_after_noon,
    outcome_counts,
    policy,
    publish_policies,
    step,
)

pytestmark = pytest.mark.postgres


def test_batches_survive_the_end_of_their_process(sessions: Sessions) -> None:
    """A process ends within a batch, before its commit: another one goes on from the last whole batch."""
    count = 10
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
        handle_changes(session, *(assigned(number) for number in range(count)))
        publish_policies(session, policy("touch", target="2h"))
        begun = begin(session)
    for _ in range(3):
        with sessions.begin() as session:
            assert advance(session, limit=2)
        killed = sessions()
        assert advance(killed, limit=2)
        killed.close()

    policies, now = Policies(SlaPolicy), minutes_after_noon(31)
    with ThreadPoolExecutor() as pool:
        stop = Event()
        for future in [
            pool.submit(apply_agreement, sessions, policies, lambda: now, stop) for _ in range(3)
        ]:
            future.result()
    with sessions() as session:
        ended = find_application(session, begun.id)
        moved = [it for it in announced_changes(session) if it.change is ClockChange.MOVED]
    if ended.state is ApplicationState.RUNNING:  # each left the last batch to another one
        apply_agreement(sessions, policies, lambda: now, stop)
    with sessions() as session:
        ended = find_application(session, begun.id)
    assert (ended.state, ended.handoffs) == (ApplicationState.DONE, count)
    assert ended.effects == {Effect.LATER: count}
    assert len({it.clock_id for it in moved}) == len(moved) == count


def test_sweeps_changes_and_an_application_at_once_breach_each_clock_at_most_once(
    sessions: Sessions,
) -> None:
    numbers = range(60)
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
        handle_changes(session, *map(assigned, numbers))
        publish_policies(session, policy("touch", target="70m"))
        begun = begin(session, 59)
    everybody = AtOnce(sessions)

    with ThreadPoolExecutor() as pool:
        for task in (everybody.apply, everybody.sweep, everybody.sweep, everybody.answer):
            everybody.futures.append(pool.submit(task))
    for future in everybody.futures:
        future.result()

    Sweeper(sessions, time_source=lambda: minutes_after_noon(200)).sweep()
    with sessions() as session:
        assert find_application(session, begun.id).state is ApplicationState.DONE
        assert outcome_counts(session) == {"met": 20, "overdue": 40}
        changes = announced_changes(session)
    breaches = Counter(it.handoff_id for it in changes if it.change is ClockChange.BREACHED)
    unanswered = [an_id(f"handoff {it}") for it in numbers if it % 3]
    assert {breaches[it] for it in unanswered} == {1}
    retracted = {it.handoff_id for it in changes if it.change is ClockChange.RETRACTED}
    assert retracted.isdisjoint(unanswered)


@dataclass
class AtOnce:
    """Processes that begin at the same moment, a minute after an hour after noon."""

    sessions: Sessions
    start: Barrier = field(default_factory=lambda: Barrier(4))
    futures: list[Future[None]] = field(default_factory=list)

    def apply(self) -> None:
        """Apply the version, five handoffs at a time, by a time that is a second behind that of sweeps."""
        self.start.wait(30)
        advanced = True
        while advanced:
            with self.sessions.begin() as session:
                advanced = advance(session, 60 - 1 / 60, limit=5)

    def sweep(self) -> None:
        self.start.wait(30)
        sweeper = Sweeper(self.sessions, time_source=lambda: minutes_after_noon(60))
        for _ in range(20):
            sweeper.sweep()

    def answer(self) -> None:
        """Every third rep answered a minute ago."""
        self.start.wait(30)
        for number in range(0, 60, 3):
            contact = step(Change.CONTACTED, 59, handoff_id=an_id(f"handoff {number}"))
            with self.sessions.begin() as session:
                handle_changes(session, replace(contact, sequence=2), minute=60)
