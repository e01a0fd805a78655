"""The file of reps takes effect."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import State
from services.routing.domain.reassignment import Reassignment
from services.routing.domain.signing import PREFIX
from services.routing.handlers import on_answer, tick
from services.routing.handlers.roster_import import reroute
from services.routing.queries import active_reps
from services.routing.queries.endpoints import find_encrypted_secret
from services.routing.queries.handoffs import held_by
from services.routing.queries.lists import HandoffFilter, list_handoffs
from services.routing.queries.reps import reps_by_id
from services.routing.tables import deliveries
from shared.contracts.payloads import Change
from tests.builders import NOON, lead_qualified
from tests.services.routing.builders import (
    announced,
    announced_changes,
    build_assigner,
    count_by_state,
    entry,
    importing,
    qualifying,
    vault,
)

pytestmark = pytest.mark.postgres


def test_secrets_are_returned_once_and_stored_encrypted(session: Session) -> None:
    first = importing(session, entry("grace"))
    second = importing(session, entry("grace"), entry("linus"))

    assert first.secrets.keys() == {"rep/grace", "team/sales", "ops"}
    assert second.secrets.keys() == {"rep/linus"}
    kept = find_encrypted_secret(session)
    assert kept is not None
    secrets = {
        b64decode(it.removeprefix(PREFIX))
        for it in [*first.secrets.values(), *second.secrets.values()]
    }
    assert vault().decrypt(kept) in secrets
    assert all(len(it) == 32 for it in secrets)


def test_a_rep_who_is_missing_in_the_file_gets_no_more_leads(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    assert active_reps(session) == 2

    assert importing(session, entry("linus")).inactive == ["grace"]
    qualifying(session, assigner, lead_qualified(lead="a"), lead_qualified(lead="b"))

    assert announced_changes(session) == [("assigned", "linus")] * 2
    assert active_reps(session) == 1


def test_an_import_counts_what_inactive_reps_hold_and_cancels_their_webhooks(
    session: Session,
) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in "abcd"))

    gone = importing(session, entry("linus"))
    again = importing(session, entry("linus"), entry("grace", active=False))

    assert (gone.held_by_inactive, gone.cancelled) == ({"grace": 2}, 2)
    assert (again.held_by_inactive, again.cancelled) == ({"grace": 2}, 0)
    states = {(it.endpoint, it.state) for it in session.execute(select(deliveries))}
    assert states == {("rep/grace", "cancelled"), ("rep/linus", "pending")}


def test_handoffs_of_inactive_reps_are_rerouted_group_by_group(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in "abcdef"))
    [first, *_] = list_handoffs(session, HandoffFilter(rep="grace"), limit=9)
    accept = Answer(Change.ACCEPTED)
    on_answer(session, first.id, accept, actor=Actor("rep", "grace"), assigner=assigner, now=NOON)
    importing(session, entry("linus", capacity={"open": 5}))

    command = Reassignment("ops/olga", "rep_inactive")
    moved = [
        reroute(session, limit=2, command=command, assigner=assigner, now=NOON) for _ in range(3)
    ]

    assert [dict(it) for it in moved] == [{"grace": 2}, {"grace": 1}, {}]
    assert held_by(session, ["grace", "linus"]) == {"linus": 5}
    assert count_by_state(session) == {State.ASSIGNED: 5, State.WAITING: 1}
    assert announced_changes(session)[-4:] == [
        *[("reassigned", "linus")] * 2,
        ("reassigned", None),
        ("waiting", None),
    ]
    steps = [it for it in announced(session) if it.change is Change.REASSIGNED]
    assert {(it.actor, it.reason) for it in steps} == {("ops/olga", "rep_inactive")}
    withdrawn = select(deliveries.c.endpoint).where(deliveries.c.type == "handoff.withdrawn")
    assert session.scalars(withdrawn).all() == ["rep/grace"] * 3
    assert importing(session, entry("linus")).held_by_inactive == {}


def test_a_rep_is_stored_as_in_the_file(session: Session) -> None:
    importing(
        session,
        entry(
            "grace",
            territories=["DE"],
            weight=2.5,
            capacity={"open": 3, "per_day": 9},
            time_off=[{"from": "2026-12-24", "to": "2026-12-27"}],
        ),
    )

    [grace] = reps_by_id(session)

    assert (grace.territories, grace.weight) == (("DE",), 2.5)
    assert (grace.open_limit, grace.per_day_limit) == (3, 9)
    assert grace.time_off[0].until - grace.time_off[0].since == timedelta(days=3)


def test_a_higher_capacity_is_used_for_waiting_leads(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", capacity={"open": 1}))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in "abc"))
    assert sum(it[0] == "assigned" for it in announced_changes(session)) == 1

    importing(session, entry("grace", capacity={"open": 3}))
    tick(session, NOON, assigner=assigner)

    assert sum(it[0] == "assigned" for it in announced_changes(session)) == 3
