"""Rounds are kept as what differs, explain every decision, and go with the last one that they explain."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.handoff import handoff_id
from services.routing.handlers import Assigner, tick
from services.routing.handlers.explanation import explain
from services.routing.queries.handoffs import find_handoff
from services.routing.queries.rosters import MAX_CACHED
from services.routing.tables import allocations, rosters
from tests.builders import NOON, an_id, lead_qualified
from tests.services.routing.builders import URL, build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres

REPS = [entry(f"rep_{it}") for it in range(8)]


def kept(session: Session) -> list[tuple[bool, int]]:
    """Of each round: whether its bench is whole, and how many standings it keeps."""
    rows = session.execute(
        select(allocations.c.base_id, allocations.c.rep_loads).order_by(allocations.c.id)
    )
    return [(row.base_id is None, len(row.rep_loads)) for row in rows]


def assigned(session: Session, lead: str, assigner: Assigner) -> list[int]:
    """How many each rep had had when the lead's newest decision was made."""
    handoff = find_handoff(session, handoff_id(an_id(lead), 1))
    assert handoff is not None
    *_, newest = explain(session, handoff, assigner=assigner)
    return [it["assigned"] for it in newest["candidates"]]


def test_leads_that_come_one_by_one_keep_what_differs_and_are_explained(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, *REPS)
    for number in range(6):
        qualifying(session, assigner, lead_qualified(lead=number), now=NOON + timedelta(number))

    # The first round of a period begins everybody's share: only the next one is like any other.
    assert kept(session) == [(True, 8), (True, 8), (False, 1), (False, 2), (True, 8), (False, 1)]
    elsewhere = Assigner(URL)
    for number in range(6):
        expected = [1] * number + [0] * (8 - number)
        assert assigned(session, str(number), assigner) == expected
        assert assigned(session, str(number), elsewhere) == expected


def test_another_router_goes_on_from_what_the_first_has_kept(session: Session) -> None:
    assigners = [build_assigner(session), Assigner(URL)]
    importing(session, *REPS)
    for number in range(4):
        qualifying(session, assigners[number % 2], lead_qualified(lead=number))

    assert kept(session) == [(True, 8), (True, 8), (False, 1), (False, 2)]


def test_a_roster_is_kept_once_and_old_rounds_remember_theirs(session: Session) -> None:
    assigner = build_assigner(session)
    for _ in range(2):
        importing(session, *REPS)
    qualifying(session, assigner, lead_qualified(lead="ada"))
    importing(session, *REPS[4:])
    qualifying(session, assigner, lead_qualified(lead="alan"))

    assert len(session.execute(select(rosters.c.id)).all()) == 2
    assert [whole for whole, _ in kept(session)] == [True, True]
    assert excluded(session, "ada", assigner) == []
    assert excluded(session, "alan", assigner) == ["inactive"] * 4


def excluded(session: Session, lead: str, assigner: Assigner) -> list[Any]:
    handoff = find_handoff(session, handoff_id(an_id(lead), 1))
    assert handoff is not None
    [decision] = explain(session, handoff, assigner=assigner)
    return [why["reason"] for it in decision["candidates"] for why in it["excluded"]]


def test_rounds_that_explain_nothing_any_more_are_gone(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", capacity={"per_day": 1}), entry("linus", active=False))
    qualifying(session, assigner, lead_qualified(lead="first"))
    qualifying(session, assigner, lead_qualified(lead="waits"))
    before = len(kept(session))

    for minute in range(3):
        importing(session, entry("grace", capacity={"per_day": 1}), entry("linus", active=False))
        tick(session, NOON + timedelta(minutes=minute), assigner=assigner)

    assert len(kept(session)) == before + 1  # the whole bench that the others lean on stays
    assert excluded(session, "waits", assigner) == ["full_today", "inactive"]


def test_only_some_rosters_and_benches_are_remembered(session: Session) -> None:
    assigner = build_assigner(session)
    for number in range(MAX_CACHED + 2):
        importing(session, entry("grace", weight=number + 1.0))
        qualifying(session, assigner, lead_qualified(lead=number))

    assert [assigned(session, str(it), assigner) for it in (0, MAX_CACHED)] == [[0], [MAX_CACHED]]
