"""Ops record absences of reps beside the file."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.routing.domain.roster import OPEN_END, Absence, NoSuchRep, RecordedAbsence
from services.routing.handlers import tick
from services.routing.handlers.absences import record_absence
from services.routing.queries.absences import absences_by_rep
from services.routing.queries.reps import reps_by_id
from services.routing.tables import rosters
from tests.builders import NOON, lead_qualified, minutes
from tests.services.routing.builders import (
    announced_changes,
    build_assigner,
    entry,
    importing,
    qualifying,
)

pytestmark = pytest.mark.postgres


def sick(*, until: datetime = OPEN_END) -> RecordedAbsence:
    """An absence from noon on."""
    return RecordedAbsence(Absence(NOON, until), "ops/olga")


def test_a_rep_who_is_away_gets_nothing_and_one_who_is_back_gets_what_waits(
    session: Session,
) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"))

    record_absence(session, "grace", sick(), now=NOON)
    qualifying(session, assigner, lead_qualified(lead="ada"))
    tick(session, NOON, assigner=assigner)
    while_away = announced_changes(session)
    record_absence(session, "grace", None, now=NOON)
    tick(session, NOON, assigner=assigner)

    assert while_away == [("waiting", None)]
    assert announced_changes(session)[1:] == [("assigned", "grace")]


def test_an_absence_that_ends_is_followed_by_a_review(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"))
    record_absence(session, "grace", sick(until=NOON + minutes(30)), now=NOON)
    qualifying(session, assigner, lead_qualified(lead="ada"))

    for minute in (0, 29, 30):
        tick(session, NOON + minutes(minute), assigner=assigner)

    assert announced_changes(session) == [("waiting", None), ("assigned", "grace")]


def test_an_import_keeps_an_absence_until_it_is_over(session: Session) -> None:
    importing(session, entry("grace"), entry("linus"))
    record_absence(session, "grace", sick(until=NOON + minutes(30)), now=NOON)

    kept = importing(session, entry("grace"), entry("linus"), now=NOON + minutes(29))
    [grace, _] = reps_by_id(session)
    over = importing(session, entry("grace"), entry("linus"), now=NOON + minutes(30))

    assert kept.absences == {"grace": Absence(NOON, NOON + minutes(30))}
    assert grace.time_off == (Absence(NOON, NOON + minutes(30)),)
    assert over.absences == {}
    assert [it.time_off for it in reps_by_id(session)] == [(), ()]
    assert absences_by_rep(session) == {}


def test_leads_of_others_are_credited_meanwhile(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    record_absence(session, "grace", sick(), now=NOON)
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in "abcd"))

    record_absence(session, "grace", None, now=NOON)
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in "ef"))

    assert sorted(announced_changes(session)[4:]) == [("assigned", "grace"), ("assigned", "linus")]


def test_each_change_of_an_absence_is_a_roster_of_its_own(session: Session) -> None:
    importing(session, entry("grace"))
    for recorded in (sick(), sick(), None, None):
        record_absence(session, "grace", recorded, now=NOON)

    assert session.scalar(select(func.count()).select_from(rosters)) == 3


def test_an_absence_of_nobody_is_refused(session: Session) -> None:
    importing(session, entry("grace"))

    with pytest.raises(NoSuchRep, match="GET /v1/reps"):
        record_absence(session, "nobody", sick(), now=NOON)
