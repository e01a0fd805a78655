"""Allocations store differing rep loads, explain decisions, and are deleted with the last decision."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.handoff import handoff_id
from services.routing.domain.roster import RepLoad, Roster
from services.routing.handlers import Assigner, tick
from services.routing.handlers.explanation import explain
from services.routing.queries.allocations import (
    StoredLoad,
    difference_of,
    rep_loads_of,
    stored_loads,
)
from services.routing.queries.handoffs import find_handoff
from services.routing.queries.rosters import MAX_CACHED
from services.routing.tables import allocations, rosters
from tests.builders import NOON, an_id, lead_qualified
from tests.services.routing.builders import (
    URL,
    build_assigner,
    entry,
    importing,
    qualifying,
    rep_load,
)

pytestmark = pytest.mark.postgres

REPS = [entry(f"rep_{it}") for it in range(8)]


def kept(session: Session) -> list[tuple[bool, int]]:
    """Of each allocation: whether it is a base, and how many rep loads it stores."""
    rows = session.execute(
        select(allocations.c.base_id, allocations.c.rep_loads).order_by(allocations.c.id)
    )
    return [(row.base_id is None, len(row.rep_loads)) for row in rows]


def assigned(session: Session, lead: str, assigner: Assigner) -> list[int]:
    """How many leads each rep had before the lead's newest decision."""
    handoff = find_handoff(session, handoff_id(an_id(lead), 1))
    assert handoff is not None
    *_, newest = explain(session, handoff, assigner=assigner)
    return [it["assigned"] for it in newest["candidates"]]


def test_allocations_of_single_leads_store_differences_and_are_explained(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, *REPS)
    for number in range(6):
        qualifying(session, assigner, lead_qualified(lead=number), now=NOON + timedelta(number))

    # The first allocation of a period begins every rep's share; only the next one has a base to differ from.
    assert kept(session) == [(True, 8), (True, 8), (False, 1), (False, 2), (True, 8), (False, 1)]
    elsewhere = Assigner(URL)
    for number in range(6):
        expected = [1] * number + [0] * (8 - number)
        assert assigned(session, str(number), assigner) == expected
        assert assigned(session, str(number), elsewhere) == expected


def test_another_router_stores_differences_from_the_first_one_s_base(session: Session) -> None:
    assigners = [build_assigner(session), Assigner(URL)]
    importing(session, *REPS)
    for number in range(4):
        qualifying(session, assigners[number % 2], lead_qualified(lead=number))

    assert kept(session) == [(True, 8), (True, 8), (False, 1), (False, 2)]


def test_a_roster_is_stored_once_and_old_allocations_keep_theirs(session: Session) -> None:
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


def test_allocations_that_explain_nothing_any_more_are_deleted(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", capacity={"per_day": 1}), entry("linus", active=False))
    qualifying(session, assigner, lead_qualified(lead="first"))
    qualifying(session, assigner, lead_qualified(lead="waits"))
    before = len(kept(session))

    for minute in range(3):
        importing(session, entry("grace", capacity={"per_day": 1}), entry("linus", active=False))
        tick(session, NOON + timedelta(minutes=minute), assigner=assigner)

    assert len(kept(session)) == before + 1  # the base of the others stays
    assert excluded(session, "waits", assigner) == ["full_today", "inactive"]


def test_the_caches_of_rosters_and_bases_are_bounded(session: Session) -> None:
    assigner = build_assigner(session)
    for number in range(MAX_CACHED + 2):
        importing(session, entry("grace", weight=number + 1.0))
        qualifying(session, assigner, lead_qualified(lead=number))

    assert [assigned(session, str(it), assigner) for it in (0, MAX_CACHED)] == [[0], [MAX_CACHED]]


FOUR = [rep_load(it, open=1, credit=0.1 + 0.2) for it in ("ada", "grace", "linus", "tim")]


def four_and(*loads: RepLoad) -> dict[str, StoredLoad]:
    return stored_loads([*FOUR, *loads])


def test_loads_are_the_same_after_they_were_stored() -> None:
    loads = [*FOUR, rep_load("new", last_assigned_at=NOON, counted=False)]
    roster = Roster(1, {it.rep.id: it.rep for it in loads})

    assert rep_loads_of(stored_loads(loads), roster) == loads


def test_few_differing_loads_are_stored_as_a_difference() -> None:
    loads = four_and(rep_load("grace", open=2))

    difference = difference_of(loads, four_and())

    assert difference == [loads["grace"]]
    assert {**four_and(), **{rep: (rep, *counts) for rep, *counts in difference}} == loads
    assert difference_of(loads, loads) == []


@pytest.mark.parametrize(
    "loads",
    [four_and(rep_load("ada", open=2), rep_load("tim", open=2)), stored_loads(FOUR[1:])],
    ids=["half of them", "somebody is gone"],
)
def test_many_differing_loads_are_stored_completely(loads: dict[str, StoredLoad]) -> None:
    assert difference_of(loads, four_and()) is None


def test_a_rep_of_another_team_is_one_more_load() -> None:
    guest = rep_load("guest", rep_fields={"team": "partners"})

    assert difference_of(four_and(guest), four_and()) == [stored_loads([guest])["guest"]]
