"""Eight routers at work while reps go away, come back, fill up, answer, and leave with a re-route of what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Lock
from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer, HandoffMoved
from services.routing.domain.handoff import State
from services.routing.domain.reassignment import Reassignment
from services.routing.domain.roster import OPEN_END, Absence, RecordedAbsence
from services.routing.handlers import Assigner, on_answer, on_leads_qualified, tick
from services.routing.handlers.absences import record_absence
from services.routing.handlers.reroutes import confirm_reroute, plan_reroute
from services.routing.tables import handoffs, reps
from shared.contracts.payloads import Change, HandoffChanged
from shared.contracts.topic import Record
from shared.contracts.topics import HANDOFFS_CHANGED
from shared.db.session import Sessions
from shared.db.tables import outbox as rows
from shared.messaging import outbox
from tests.builders import DEFAULT_SECTIONS, NOON, lead_qualified, qualified_message
from tests.seeds import random_of
from tests.services.routing.builders import build_assigner, entry, importing

pytestmark = pytest.mark.postgres

ROUTERS = 8
SIZES = [pytest.param(400, id="few"), pytest.param(2_000, id="many", marks=pytest.mark.fault)]
BATCH = 25
REPS = [f"rep_{number}" for number in range(12)]
LEAVING = REPS[:2]
OFTEN_AWAY = REPS[2:6]
LATER = NOON + timedelta(minutes=1)
ROUTING = {
    **DEFAULT_SECTIONS["routing"],
    "pause_reasons": [{"id": "on_leave", "kinds": ["first_touch"], "longest": "10d"}],
}
ANSWERS = (
    Answer(Change.ACCEPTED),
    Answer(Change.CONTACTED, details={"channel": "phone", "outcome": "no_answer"}),
    Answer(Change.PAUSED, details={"reason": "on_leave"}),
    Answer(Change.RESUMED),
    Answer(Change.REJECTED, details={"reason": "no_capacity"}),
    Answer(Change.WON),
    Answer(Change.LOST, details={"reason": "price"}),
)


class TimeAway(NamedTuple):
    """An absence, by the last records of the outbox before it and before its end."""

    rep: str
    after: int
    until: int


class Firm:
    """A team at work, on a database of its own."""

    def __init__(self, sessions: Sessions, *, leads: int) -> None:
        self.sessions = sessions
        self.leads = leads
        self.capacity = leads // 33  # the twelve reps cannot hold half of the leads
        self.times_away: list[TimeAway] = []
        with sessions.begin() as session:
            self.assigner: Assigner = build_assigner(session, routing=ROUTING)
            importing(session, *map(self.employee, REPS))

    def employee(self, id: str, *, active: bool = True) -> dict[str, object]:
        return entry(id, capacity={"open": self.capacity}, active=active)

    def qualify(self, first: int) -> None:
        leads = [lead_qualified(lead=f"lead-{it}") for it in range(first, first + BATCH)]
        with self.sessions.begin() as session:
            messages = [qualified_message(it) for it in leads]
            on_leads_qualified(session, messages, NOON, assigner=self.assigner)

    def go_away_and_come_back(self, rep: str, lock: Lock) -> None:
        recorded = RecordedAbsence(Absence(NOON, OPEN_END), "ops/olga")
        with lock:  # one absence after the other
            after = self.record(rep, recorded)
            self.tick()
            self.times_away.append(TimeAway(rep, after, self.record(rep, None)))

    def record(self, rep: str, recorded: RecordedAbsence | None) -> int:
        """The last record of the outbox at this moment, at which nothing is assigned."""
        with self.sessions.begin() as session:
            record_absence(session, rep, recorded, now=NOON)
            return session.scalar(select(func.max(rows.c.id))) or 0

    def leave(self, rep: str) -> None:
        command = Reassignment("ops/olga", "has left")
        with self.sessions.begin() as session:
            importing(session, *(self.employee(it, active=it not in LEAVING) for it in REPS))
        with self.sessions.begin() as session:
            plan = plan_reroute(session, rep, command=command, assigner=self.assigner, now=NOON)
        with self.sessions.begin() as session:
            confirm_reroute(session, plan.id, now=NOON)

    def tick(self) -> None:
        with self.sessions.begin() as session:
            tick(session, LATER, assigner=self.assigner)

    def answer(self, number: int) -> None:
        """Some of the held handoffs get an answer, which may come too late."""
        chance = random_of(number)
        with self.sessions() as session:
            ids = list(session.scalars(select(handoffs.c.id).where(handoffs.c.rep.is_not(None))))
        for id in chance.sample(ids, min(8, len(ids))):
            self.send(id, chance.choice(ANSWERS))

    def send(self, id: UUID, answer: Answer) -> None:
        actor = Actor("ops", "olga")
        try:
            with self.sessions.begin() as session:
                on_answer(session, id, answer, actor=actor, assigner=self.assigner, now=LATER)
        except HandoffMoved:
            return

    def work(self) -> list[Callable[[], None]]:
        """Everything that happens, in no order."""
        work: list[Callable[[], None]] = []
        for first in range(0, self.leads, BATCH):
            work += [partial(self.qualify, first)] * 2  # the second as after a crash
            work += [partial(self.answer, first), self.tick]
        for rep in OFTEN_AWAY:
            work += [partial(self.go_away_and_come_back, rep, Lock())] * 4
        work += [partial(self.leave, rep) for rep in LEAVING]
        random_of(13).shuffle(work)
        return work


def at_once(work: Sequence[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(ROUTERS) as routers:
        for done in [routers.submit(it) for it in work]:
            done.result()


@pytest.mark.parametrize("leads", SIZES)
def test_nobody_is_doubled_lost_overloaded_or_picked_while_away(
    sessions: Sessions, leads: int
) -> None:
    firm = Firm(sessions, leads=leads)

    at_once(firm.work())
    for _ in range(4):  # two would end both re-routes
        firm.tick()

    with sessions() as session:
        stored = session.execute(
            select(
                handoffs.c.id,
                handoffs.c.lead_id,
                handoffs.c.rep,
                handoffs.c.state,
                handoffs.c.hop,
            )
        ).all()
        counted = dict(session.execute(select(reps.c.id, reps.c.open)).all())
        changes = changes_of(session)
    assert len({row.lead_id for row in stored}) == len(stored) == leads
    held = Counter(row.rep for row in stored if State(row.state).held)
    assert held == Counter(counted)
    assert not held.keys() & set(LEAVING)
    assert max(held.values()) <= firm.capacity
    assert highest_load(changes) <= firm.capacity
    hops = Counter({row.id: row.hop for row in stored if row.hop})
    gains = [
        (id, it)
        for id, it in changes
        if it.change in (Change.ASSIGNED, Change.REASSIGNED) and it.rep
    ]
    assert Counter(it.handoff_id for _, it in gains) == hops
    for away in firm.times_away:
        assert not [id for id, it in gains if away.after < id <= away.until and it.rep == away.rep]


@pytest.mark.parametrize("number", [1, 2, 3], ids=["contact", "pause", "resume"])
def test_an_answer_that_comes_from_many_callers_at_once_counts_once(
    sessions: Sessions, number: int
) -> None:
    firm = Firm(sessions, leads=400)
    firm.qualify(0)
    with sessions() as session:
        [id, *_] = session.scalars(select(handoffs.c.id))

    at_once([partial(firm.send, id, ANSWERS[number])] * 16)

    with sessions() as session:
        answers = [it for _, it in changes_of(session) if it.change == ANSWERS[number].change]
    assert len(answers) == 1


def changes_of(session: Session) -> list[tuple[int, HandoffChanged]]:
    """Everything that was announced about handoffs, each with its place in the outbox."""
    stored = session.execute(
        select(rows).where(rows.c.topic == HANDOFFS_CHANGED.name).order_by(rows.c.id)
    )
    return [
        (
            it.id,
            HANDOFFS_CHANGED.decode(
                Record(it.topic, 0, 0, it.key, it.value, outbox.decoded_headers(it.headers))
            ).payload,
        )
        for it in stored
    ]


def highest_load(changes: Sequence[tuple[int, HandoffChanged]]) -> int:
    """The most handoffs that a rep held at any moment."""
    holders: dict[UUID, str | None] = {}
    loads, highest = Counter[str](), 0
    for _, change in changes:
        before = holders.get(change.handoff_id)
        after = None if change.change in (Change.WON, Change.LOST) else change.rep
        if before is not None:
            loads[before] -= 1
        if after is not None:
            loads[after] += 1
            highest = max(highest, loads[after])
        holders[change.handoff_id] = after
    return highest
