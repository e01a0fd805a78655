"""The file of reps takes effect."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.signing import PREFIX
from services.routing.handlers import tick
from services.routing.queries import active_reps
from services.routing.queries.endpoints import find_encrypted_secret
from services.routing.queries.reps import reps_by_id
from services.routing.tables import deliveries
from tests.builders import NOON, lead_qualified
from tests.services.routing.builders import (
    announced_changes,
    build_assigner,
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
