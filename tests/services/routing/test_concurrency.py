"""Four routers at once give the same distribution as one: nobody twice, nobody lost, nobody over capacity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer, HandoffMoved
from services.routing.domain.handoff import State
from services.routing.handlers import (
    Assigner,
    on_answer,
    on_leads_merged,
    on_leads_qualified,
    tick,
)
from services.routing.tables import handoffs, reps
from shared.contracts.payloads import Change, LeadQualified
from shared.db.session import Sessions
from tests.builders import (
    NOON,
    an_id,
    lead_qualified,
    leads_merged,
    merged_message,
    qualified_message,
)
from tests.seeds import random_of
from tests.services.routing.builders import (
    announced,
    build_assigner,
    count_by_state,
    entry,
    importing,
)

pytestmark = pytest.mark.postgres

ROUTERS = 4


def at_once(work: Sequence[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(ROUTERS) as routers:
        for done in [routers.submit(it) for it in work]:
            done.result()


def batch(
    sessions: Sessions, assigner: Assigner, leads: Sequence[LeadQualified]
) -> Callable[[], None]:
    def run() -> None:
        with sessions.begin() as session:
            messages = [qualified_message(it) for it in leads]
            on_leads_qualified(session, messages, NOON, assigner=assigner)

    return run


def opened(sessions: Sessions, *reps: dict[str, object]) -> Assigner:
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, *reps)
    return assigner


def held(session: Session) -> Counter[str]:
    rows = session.execute(select(handoffs.c.rep).where(handoffs.c.state == State.ASSIGNED))
    return Counter(row.rep for row in rows)


def test_four_routers_share_fairly_and_lose_no_lead(sessions: Sessions) -> None:
    assigner = opened(sessions, *(entry(f"rep_{number}") for number in range(5)))
    leads = [lead_qualified(lead=f"lead-{number}") for number in range(240)]
    batches = [leads[start : start + 12] for start in range(0, 240, 12)]

    # Each batch comes twice, as after a crash: the second must find nothing to do.
    at_once([batch(sessions, assigner, it) for it in [*batches, *batches]])

    with sessions() as session:
        shares = held(session)
        steps = announced(session)
    assert sum(shares.values()) == 240
    assert max(shares.values()) - min(shares.values()) <= 1
    assert len({it.handoff_id for it in steps}) == len(steps) == 240


def test_one_lead_qualified_by_four_routers_has_one_live_handoff(sessions: Sessions) -> None:
    assigner = opened(sessions, entry("grace"), entry("linus"))
    batches = [
        [lead_qualified(lead=f"lead-{lead}", qualification=qualification) for lead in range(20)]
        for qualification in range(1, ROUTERS + 1)
    ]

    at_once([batch(sessions, assigner, it) for it in batches])

    with sessions() as session:
        counts = count_by_state(session)
    assert counts == {State.ASSIGNED: 20, State.MERGED: 60}


def test_capacity_is_never_exceeded_and_the_other_leads_wait(sessions: Sessions) -> None:
    assigner = opened(sessions, *(entry(f"rep_{it}", capacity={"open": 7}) for it in range(3)))
    leads = [lead_qualified(lead=f"lead-{number}") for number in range(60)]

    at_once([batch(sessions, assigner, leads[start : start + 5]) for start in range(0, 60, 5)])

    with sessions() as session:
        assert held(session) == {f"rep_{it}": 7 for it in range(3)}
        assert count_by_state(session) == {State.ASSIGNED: 21, State.WAITING: 39}


def test_merges_arrivals_and_answers_at_once_leave_each_person_one_live_handoff(
    sessions: Sessions,
) -> None:
    assigner = opened(sessions, *(entry(f"rep_{it}", capacity={"open": 6}) for it in range(4)))

    def merge(number: int) -> Callable[[], None]:
        def run() -> None:
            with sessions.begin() as session:
                payload = leads_merged(stays=f"stays-{number}", goes=f"goes-{number}")
                on_leads_merged(session, [merged_message(payload)], NOON, assigner=assigner)

        return run

    work: list[Callable[[], None]] = []
    for number in range(30):
        stays, goes = (lead_qualified(lead=f"{it}-{number}") for it in ("stays", "goes"))
        work += [batch(sessions, assigner, [stays]), batch(sessions, assigner, [goes])] * 2
        work += [merge(number)] * 2 + [answers(sessions, assigner, 2, [])]
    random_of(7).shuffle(work)
    at_once(work)

    with sessions() as session:
        rows = session.execute(select(handoffs.c.lead_id, handoffs.c.rep, handoffs.c.state)).all()
        counted = dict(session.execute(select(reps.c.id, reps.c.open)).all())
    person = {an_id(f"{it}-{number}"): number for number in range(30) for it in ("stays", "goes")}
    live = [row for row in rows if State(row.state).live]
    assert sorted(person[row.lead_id] for row in live) == list(range(30))
    assert len(rows) == 60
    assert Counter(counted) == Counter(row.rep for row in live if State(row.state).held)


def test_answers_arrivals_and_ticks_at_once_conserve_every_lead(sessions: Sessions) -> None:
    assigner = opened(sessions, *(entry(f"rep_{it}", capacity={"open": 4}) for it in range(4)))
    leads = [lead_qualified(lead=f"lead-{number}") for number in range(80)]
    effective: list[tuple[Change, UUID]] = []

    def ticked() -> None:
        with sessions.begin() as session:
            tick(session, NOON + timedelta(minutes=1), assigner=assigner)

    work: list[Callable[[], None]] = []
    for start in range(0, 80, 4):
        work += [
            batch(sessions, assigner, leads[start : start + 4]),
            answers(sessions, assigner, start // 4, effective),
            ticked,
        ]
    at_once(work)
    ticked()

    with sessions() as session:
        states = count_by_state(session)
        steps = Counter(it.change for it in announced(session))
        assert sum(states.values()) == 80
        rows = session.execute(select(handoffs.c.rep, handoffs.c.state)).all()
        counted = dict(session.execute(select(reps.c.id, reps.c.open)).all())
    open_ = Counter(row.rep for row in rows if State(row.state).held)
    assert open_ == {f"rep_{it}": 4 for it in range(4)}  # more leads are left than they can hold
    assert Counter(counted) == open_
    assert set(states) == {State.ASSIGNED, State.ACCEPTED, State.WAITING, State.WON}
    times, handoffs_of = Counter(it for it, _ in effective), Counter(it for it, _ in set(effective))
    for change in (Change.WON, Change.REJECTED, Change.ACCEPTED):
        assert 0 < handoffs_of[change] <= steps[change] <= times[change]
    assert states[State.WON] == handoffs_of[Change.WON]


def answers(
    sessions: Sessions, assigner: Assigner, number: int, effective: list[tuple[Change, UUID]]
) -> Callable[[], None]:
    """Some of those that reps hold are answered; `taken` is which answers came in time."""
    change = (Change.WON, Change.REJECTED, Change.ACCEPTED)[number % 3]
    chance = random_of(number)

    def run() -> None:
        with sessions() as session:
            ids = live_ids(session)
        chosen = chance.sample(ids, min(6, len(ids)))
        effective.extend((change, it) for it in chosen if _answer(sessions, assigner, it, change))

    return run


def live_ids(session: Session) -> list[UUID]:
    statement = select(handoffs.c.id).where(handoffs.c.state == State.ASSIGNED)
    return list(session.scalars(statement))


def _answer(sessions: Sessions, assigner: Assigner, id: UUID, change: Change) -> bool:
    """Whether it came in time."""
    details = {"reason": "no_capacity"} if change is Change.REJECTED else {}
    try:
        with sessions.begin() as session:
            rep_answer = Answer(change, details=details)
            on_answer(
                session,
                id,
                rep_answer,
                actor=Actor("ops", "tests"),
                assigner=assigner,
                now=NOON + timedelta(minutes=1),
            )
    except HandoffMoved:
        return False
    return True
