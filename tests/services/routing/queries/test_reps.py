"""What is counted of each rep as leads come and go, and when a count begins anew."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import handoff_id
from services.routing.domain.roster import RepLoad
from services.routing.handlers import Assigner, on_answer
from services.routing.queries.reps import rep_loads
from services.routing.tables import reps
from shared.contracts.payloads import Change
from tests.builders import NOON, an_id, lead_qualified
from tests.services.routing.builders import at, build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres

TEAMS = [{"id": it, "calendar": "office"} for it in ("sales", "partners")]
ROUTING = {"teams": TEAMS, "rules": [{"id": "everybody", "when": True, "team": "sales"}]}
NEXT_MONTH = datetime.fromisoformat("2026-12-01T09:00:00+00:00")


def loads(
    session: Session, assigner: Assigner, team: str = "sales", *, now: datetime = NOON
) -> list[RepLoad]:
    policy = assigner.policies.current(session).teams[team]
    roster = assigner.rosters.current(session)
    return rep_loads(session, roster, policy, also=[], now=now)


def counts(
    session: Session, assigner: Assigner, *, now: datetime = NOON
) -> list[tuple[int, int, int]]:
    """Of each rep: held, got today, got this period."""
    return [(it.open, it.today, it.assigned) for it in loads(session, assigner, now=now)]


def answer_handoff(
    session: Session, assigner: Assigner, change: Change, *, of: UUID, reason: str | None = None
) -> None:
    details = {"reason": reason} if reason else {}
    on_answer(
        session,
        of,
        Answer(change, details=details),
        actor=Actor("ops", "x"),
        assigner=assigner,
        now=NOON,
    )


def test_a_handoff_counts_as_open_until_it_is_closed_and_in_the_share_after_it(
    session: Session,
) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in "abcd"))
    assert counts(session, assigner) == [(2, 2, 2), (2, 2, 2)]

    lead = handoff_id(an_id("a"), 1)
    answer_handoff(session, assigner, Change.ACCEPTED, of=lead)
    assert sum(open_ for open_, *_ in counts(session, assigner)) == 4
    answer_handoff(session, assigner, Change.WON, of=lead)

    assert sorted(counts(session, assigner)) == [(1, 2, 2), (2, 2, 2)]


def test_a_rejected_handoff_costs_no_share(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus", active=False))
    qualifying(session, assigner, lead_qualified(lead="a"))

    answer_handoff(
        session, assigner, Change.REJECTED, of=handoff_id(an_id("a"), 1), reason="no_capacity"
    )

    assert counts(session, assigner)[0] == (0, 1, 0)


def test_a_new_day_and_period_begin_at_zero_and_open_handoffs_stay(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"))
    qualifying(session, assigner, lead_qualified(lead="a"))

    assert counts(session, assigner, now=at(19)) == [(1, 0, 1)]
    assert counts(session, assigner, now=NEXT_MONTH) == [(1, 0, 0)]
    qualifying(session, assigner, lead_qualified(lead="b"), now=NEXT_MONTH)
    assert counts(session, assigner, now=NEXT_MONTH) == [(2, 1, 1)]


def test_a_rep_who_changes_the_team_has_no_share_in_it_yet(session: Session) -> None:
    assigner = build_assigner(session, routing=ROUTING)
    importing(session, entry("grace"))
    qualifying(session, assigner, lead_qualified(lead="a"))
    assert [it.counted for it in loads(session, assigner)] == [True]

    importing(session, entry("grace", team="partners"))

    [grace] = loads(session, assigner, "partners")
    assert (grace.open, grace.assigned, grace.counted) == (1, 0, False)
    assert loads(session, assigner) == []


def test_an_import_corrects_wrong_counts_of_open_handoffs(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    qualifying(session, assigner, lead_qualified(lead="a"))
    session.execute(update(reps).values(open=7))

    importing(session, entry("grace"), entry("linus"))

    assert sorted(open_ for open_, *_ in counts(session, assigner)) == [0, 1]
