"""Eight routers at once, while reps go away, come back, fill up, leave with a re-route, and promises are broken.

A trigger on the table of handoffs is the witness: it counts what PostgreSQL has stored, and knows nothing of loads.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.routing.domain.assignment.allocation import BatchAllocator
from services.routing.domain.handoff import State
from services.routing.domain.policy import RoutingPolicy
from services.routing.tables import assignments, changes, escalations, handoffs, reps
from shared.db.session import Sessions
from tests.builders import NOON, agreement, lead_qualified
from tests.services.routing.builders import (
    announced,
    build_assigner,
    count_by_state,
    entry,
    importing,
    matched_lead,
    rep_load,
)
from tests.services.routing.many_routers import (
    ROUTING,
    WITNESS,
    Installation,
    at_once,
    batches_of,
    leads_of,
    work_of,
)

pytestmark = pytest.mark.postgres

SIZES = [pytest.param(120, id="few"), pytest.param(16_000, id="many", marks=pytest.mark.fault)]
"""How many leads: in the second case 2,000 for each router."""


@pytest.mark.parametrize("count", SIZES)
def test_many_routers_keep_every_promise_while_everything_changes(
    sessions: Sessions, count: int
) -> None:
    with sessions.begin() as session:
        assigner = build_assigner(session, routing=ROUTING)
        installation = Installation(sessions, assigner, limit=max(3, count // 24))
        installation.import_reps(session)
        session.execute(text(WITNESS))
    leads = leads_of(count)

    at_once(work_of(installation, leads))
    at_once([installation.tick] * (count // 100 + 20))

    with sessions() as session:
        states = count_by_state(session)
        live = [it for it in State if it.live]
        assert sum(states.values()) == len(leads)
        assert sum(states.get(it, 0) for it in live) == len(live_people(session))
        check_counts(session)
        check_chain(session)
        check_ladders(session)


def check_ladders(session: Session) -> None:
    """Each step came to an outcome, and at most one step took a handoff from a rep."""
    steps = session.execute(select(escalations)).all()
    assert steps
    assert None not in {it.outcome for it in steps}
    steps_by_hop = Counter(
        (it.handoff_id, it.hop) for it in steps if it.outcome not in ("answered", "moved_on")
    )
    assert set(steps_by_hop.values()) == {1}
    ended = select(changes.c.handoff_id, changes.c.sequence)
    by_ladder = changes.c.details["reason"].as_string().in_(("promise_broken", "returned_to_pool"))
    recorded = session.execute(ended.where(by_ladder)).all()
    assert len(recorded) == sum(steps_by_hop.values())


def live_people(session: Session) -> set[UUID]:
    """The persons who have a live handoff: leads that were merged are one."""
    rows = session.execute(
        text("""
            select coalesce(survivor, handoffs.lead_id) as person from routing.handoffs
            left join routing.merged_leads on merged_leads.lead_id = handoffs.lead_id
            where state in ('waiting', 'assigned', 'accepted', 'contacted')
        """)
    )
    return {row.person for row in rows}


def check_counts(session: Session) -> None:
    """What reps carry equals what is counted one by one from the handoffs and the assignments."""
    held, kept = Counter[str](), Counter[str]()
    current = {row.id: row for row in session.execute(select(handoffs))}
    for row in current.values():
        held[str(row.rep)] += State(row.state).held
    for row in session.execute(select(assignments).where(assignments.c.rep.is_not(None))):
        handoff = current[row.handoff_id]
        kept[str(row.rep)] += (handoff.hop, handoff.rep) == (row.hop, row.rep)
    for rep in session.execute(select(reps)):
        assert (rep.open, rep.assigned) == (held[rep.id], kept[rep.id]), rep.id
        assert rep.open <= rep.open_limit


def check_chain(session: Session) -> None:
    """Every step was announced once, in order; nobody had the same handoff twice."""
    steps = announced(session)
    assert len({(it.handoff_id, it.sequence) for it in steps}) == len(steps)
    had = Counter(
        session.execute(
            select(assignments.c.handoff_id, assignments.c.rep).where(
                assignments.c.rep.is_not(None)
            )
        ).all()
    )
    assert had.most_common(1)[0][1] == 1


@pytest.mark.parametrize("count", SIZES)
def test_many_routers_give_each_rep_what_one_would_give(sessions: Sessions, count: int) -> None:
    weights = {f"r_{number}": weight for number, weight in enumerate((1.0, 1.0, 2.0, 3.0, 0.5))}
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, *(entry(it, weight=weight) for it, weight in weights.items()))
    installation = Installation(sessions, assigner, limit=0)
    leads = [lead_qualified(lead=f"lead-{number}") for number in range(count)]

    at_once(partial(installation.arrive, it) for it in batches_of(leads))

    policy = RoutingPolicy(1, agreement()).teams["sales"]
    loads = [rep_load(it, rep_fields={"weight": weight}) for it, weight in weights.items()]
    sequential = BatchAllocator(loads, policy=policy, now=NOON)
    expected = Counter(sequential.assign(matched_lead()).rep for _ in range(count))
    with sessions() as session:
        assert Counter(session.scalars(select(handoffs.c.rep))) == expected
