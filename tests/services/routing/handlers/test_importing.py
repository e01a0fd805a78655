"""The file of reps takes effect."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from services.routing.domain.signing import unwritten
from services.routing.handlers import tick
from services.routing.queries import active_reps
from services.routing.queries.roster import an_encrypted_secret, reps_by_id
from tests.builders import NOON, lead_qualified
from tests.services.routing.desks import entry, importing, office, qualifying, told, vault

pytestmark = pytest.mark.postgres


def test_secrets_are_shown_once_and_kept_encrypted(session: Session) -> None:
    first = importing(session, entry("grace"))
    second = importing(session, entry("grace"), entry("linus"))

    assert first.secrets.keys() == {"rep/grace", "team/sales", "ops"}
    assert second.secrets.keys() == {"rep/linus"}
    kept = an_encrypted_secret(session)
    assert kept is not None
    shown = {unwritten(it) for it in [*first.secrets.values(), *second.secrets.values()]}
    assert vault().decrypt(kept) in shown
    assert all(len(it) == 32 for it in shown)


def test_whoever_is_not_in_the_file_any_more_gets_no_leads_any_more(session: Session) -> None:
    desk = office(session)
    importing(session, entry("grace"), entry("linus"))
    assert active_reps(session) == 2

    assert importing(session, entry("linus")).inactive == ["grace"]
    qualifying(session, desk, lead_qualified(lead="a"), lead_qualified(lead="b"))

    assert told(session) == [("assigned", "linus")] * 2
    assert active_reps(session) == 1


def test_a_rep_is_kept_as_the_file_says(session: Session) -> None:
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


def test_more_room_is_filled_by_who_waits(session: Session) -> None:
    desk = office(session)
    importing(session, entry("grace", capacity={"open": 1}))
    qualifying(session, desk, *(lead_qualified(lead=it) for it in "abc"))
    assert sum(it[0] == "assigned" for it in told(session)) == 1

    importing(session, entry("grace", capacity={"open": 3}))
    tick(session, NOON, office=desk)

    assert sum(it[0] == "assigned" for it in told(session)) == 3
