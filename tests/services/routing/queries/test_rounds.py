"""Rounds are kept as what differs, explain every decision, and go with the last one that they explain."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.handoff import handoff_id
from services.routing.handlers import Office, tick
from services.routing.handlers.explaining import explained
from services.routing.queries.handoffs import find_handoff
from services.routing.queries.roster import MAX_READ
from services.routing.tables import rosters, rounds
from shared.agreement.store import Agreements
from tests.builders import NOON, an_id, lead_qualified
from tests.services.routing.desks import URL, entry, importing, office, qualifying

pytestmark = pytest.mark.postgres

REPS = [entry(f"rep_{it}") for it in range(8)]


def kept(session: Session) -> list[tuple[bool, int]]:
    """Of each round: whether its bench is whole, and how many standings it keeps."""
    rows = session.execute(select(rounds.c.base_id, rounds.c.bench).order_by(rounds.c.id))
    return [(row.base_id is None, len(row.bench)) for row in rows]


def assigned(session: Session, lead: str, desk: Office) -> list[int]:
    """How many each rep had had when the lead's newest decision was made."""
    handoff = find_handoff(session, handoff_id(an_id(lead), 1))
    assert handoff is not None
    *_, newest = explained(session, handoff, office=desk)
    return [it["assigned"] for it in newest["candidates"]]


def test_leads_that_come_one_by_one_keep_what_differs_and_are_explained(session: Session) -> None:
    desk = office(session)
    importing(session, *REPS)
    for number in range(6):
        qualifying(session, desk, lead_qualified(lead=number), now=NOON + timedelta(number))

    # The first round of a period begins everybody's share: only the next one is like any other.
    assert kept(session) == [(True, 8), (True, 8), (False, 1), (False, 2), (True, 8), (False, 1)]
    elsewhere = Office(Agreements(), URL)
    for number in range(6):
        expected = [1] * number + [0] * (8 - number)
        assert assigned(session, str(number), desk) == expected
        assert assigned(session, str(number), elsewhere) == expected


def test_another_router_goes_on_from_what_the_first_has_kept(session: Session) -> None:
    desks = [office(session), Office(Agreements(), URL)]
    importing(session, *REPS)
    for number in range(4):
        qualifying(session, desks[number % 2], lead_qualified(lead=number))

    assert kept(session) == [(True, 8), (True, 8), (False, 1), (False, 2)]


def test_a_roster_is_kept_once_and_old_rounds_remember_theirs(session: Session) -> None:
    desk = office(session)
    for _ in range(2):
        importing(session, *REPS)
    qualifying(session, desk, lead_qualified(lead="ada"))
    importing(session, *REPS[4:])
    qualifying(session, desk, lead_qualified(lead="alan"))

    assert len(session.execute(select(rosters.c.id)).all()) == 2
    assert [whole for whole, _ in kept(session)] == [True, True]
    assert excluded(session, "ada", desk) == []
    assert excluded(session, "alan", desk) == ["inactive"] * 4


def excluded(session: Session, lead: str, desk: Office) -> list[Any]:
    handoff = find_handoff(session, handoff_id(an_id(lead), 1))
    assert handoff is not None
    [decision] = explained(session, handoff, office=desk)
    return [why["why"] for it in decision["candidates"] for why in it["excluded"]]


def test_rounds_that_explain_nothing_any_more_are_gone(session: Session) -> None:
    desk = office(session)
    importing(session, entry("grace", capacity={"per_day": 1}), entry("linus", active=False))
    qualifying(session, desk, lead_qualified(lead="first"))
    qualifying(session, desk, lead_qualified(lead="waits"))
    before = len(kept(session))

    for minute in range(3):
        importing(session, entry("grace", capacity={"per_day": 1}), entry("linus", active=False))
        tick(session, NOON + timedelta(minutes=minute), office=desk)

    assert len(kept(session)) == before + 1  # the whole bench that the others lean on stays
    assert excluded(session, "waits", desk) == ["full_today", "inactive"]


def test_only_some_rosters_and_benches_are_remembered(session: Session) -> None:
    desk = office(session)
    for number in range(MAX_READ + 2):
        importing(session, entry("grace", weight=number + 1.0))
        qualifying(session, desk, lead_qualified(lead=number))

    assert [assigned(session, str(it), desk) for it in (0, MAX_READ)] == [[0], [MAX_READ]]
