"""Versions are numbered from 1, never change, and are published one at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shared.agreement.load import InvalidAgreement
from shared.agreement.model import Weekday
from shared.agreement.store import (
    Agreements,
    NoAgreement,
    Published,
    UnknownVersion,
    publish,
    publish_again,
    source_of,
    versions,
)
from shared.calendar import compile_calendar
from shared.db.session import Sessions
from shared.db.tables import agreements
from tests.builders import NOON
from tests.shared.agreement.builders import WHOLE, changed

pytestmark = pytest.mark.postgres

RENAMED = changed("name: Test", "name: Other")


def test_nothing_is_current_before_the_first_is_published(session: Session) -> None:
    with pytest.raises(NoAgreement, match="leadbaton agreement publish FILE"):
        Agreements().current(session)


def test_versions_are_numbered_and_the_newest_is_current(session: Session) -> None:
    published_versions = Agreements()
    for source, number in ((WHOLE, 1), (RENAMED, 2), (WHOLE, 3)):
        published = publish(session, source, by="ada", now=NOON)
        assert published.version == number
        assert published_versions.current(session) == published
    assert published_versions.version(session, 2).agreement.name == "Other"
    assert published_versions.version(session, 2) is published_versions.version(session, 2)


def test_following_the_agreement_logs_the_version_in_force_when_it_changes(
    session: Session,
) -> None:
    versions = Agreements()
    with structlog.testing.capture_logs() as lines:
        versions.follow(session, NOON)
        for source in (WHOLE, WHOLE, RENAMED):
            publish(session, source, by="ada", now=NOON)
            versions.current(session)
            versions.version(session, 1)
        publish(session, WHOLE, by="ada", now=NOON)
        versions.follow(session, NOON)
        versions.follow(session, NOON)

    changes = [
        (it["version"], it["version_before"]) for it in lines if it["event"] == "agreement in force"
    ]
    assert changes == [(1, None), (2, 1), (3, 2)]


def test_the_same_file_again_is_no_new_version(session: Session) -> None:
    first = publish(session, WHOLE, by="ada", now=NOON)
    assert publish(session, WHOLE, by="bob", now=NOON) == first
    assert session.scalars(select(agreements.c.published_by)).all() == ["ada"]


def test_an_unsound_agreement_changes_nothing(session: Session) -> None:
    publish(session, WHOLE, by="ada", now=NOON)
    with pytest.raises(InvalidAgreement):
        publish(session, changed("team: sales, match", "team: sale, match"), by="ada", now=NOON)
    assert Agreements().current(session).version == 1


def test_an_unknown_version_is_refused(session: Session) -> None:
    with pytest.raises(UnknownVersion, match=r"version 7 .* never published"):
        Agreements().version(session, 7)


@pytest.mark.parametrize("different", [True, False], ids=["different files", "the same file"])
def test_publishing_at_once_is_like_one_after_the_other(
    sessions: Sessions, *, different: bool
) -> None:
    at_once = Barrier(6)

    def publish_one(number: int) -> int:
        name = f"name: Test {number if different else 0}"
        with sessions.begin() as session:
            at_once.wait(timeout=10)
            return publish(session, changed("name: Test", name), by="x", now=NOON).version

    with ThreadPoolExecutor(6) as pool:
        numbers = sorted(pool.map(publish_one, range(6)))

    assert numbers == ([1, 2, 3, 4, 5, 6] if different else [1] * 6)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(agreements)) == len(set(numbers))


def test_reading_is_not_held_up_by_publishing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        publish(session, WHOLE, by="ada", now=NOON)
    with sessions.begin() as publishing, sessions() as reading:
        publish(publishing, RENAMED, by="ada", now=NOON)
        assert Agreements().current(reading).version == 1


def test_an_old_version_is_published_once_more_as_the_way_back(session: Session) -> None:
    for name in ("A", "B"):
        publish(session, changed("name: Test", f"name: {name}"), by="ada", now=NOON, note=name)

    back = publish_again(session, 1, by="bob", now=NOON, note="back")
    repeated = publish_again(session, 1, by="bob", now=NOON)

    assert (back.version, back.agreement.name) == (3, "A")
    assert repeated.version == 3
    listed = versions(session)
    assert [(it.number, it.published_by, it.note) for it in listed] == [
        (3, "bob", "back"),
        (2, "ada", "B"),
        (1, "ada", "A"),
    ]
    assert [it.first for it in listed] == [1, 2, 1]
    assert [it.number for it in versions(session, before=3, limit=1)] == [2]
    assert source_of(session, 3) == source_of(session, 1)


def test_the_way_back_is_open_when_checks_have_become_stricter(session: Session) -> None:
    publish(session, WHOLE, by="ada", now=NOON)
    session.execute(update(agreements).values(source=changed("rearm_below: 20", "rearm_below: 0")))
    publish(session, changed("name: Test", "name: B"), by="ada", now=NOON)

    assert publish_again(session, 1, by="ada", now=NOON).version == 3


def test_a_version_that_is_not_there_is_refused(session: Session) -> None:
    with pytest.raises(UnknownVersion):
        publish_again(session, 7, by="ada", now=NOON)


def test_the_holidays_of_a_version_are_kept_with_it(session: Session) -> None:
    published = publish(session, WHOLE, by="ada", now=NOON)
    stored = session.scalar(select(agreements.c.holidays))
    assert stored is not None
    days = stored["DE"]["days"]
    assert (stored["DE"]["first_year"], stored["DE"]["last_year"]) == (2025, 2037)
    assert (min(days), max(days)) == ("2025-01-01", "2037-12-26")
    assert days["2026-12-25"] == "Christmas Day"

    changed_package = {"DE": {**stored["DE"], "days": {"2026-11-18": "Other"}}}
    session.execute(update(agreements).values(holidays=changed_package))

    assert holiday_names(Agreements().current(session)) == ["Other"]
    assert holiday_names(publish(session, WHOLE, by="ada", now=NOON)) == ["Other"]
    assert holiday_names(published) == ["Christmas Day"]


def test_a_version_of_before_holidays_were_kept_has_those_of_the_package(session: Session) -> None:
    publish(session, WHOLE, by="ada", now=NOON)
    session.execute(update(agreements).values(holidays=None))
    assert holiday_names(Agreements().current(session)) == ["Christmas Day"]


def test_the_way_back_keeps_a_set_that_the_package_has_no_more(session: Session) -> None:
    publish(session, WHOLE, by="ada", now=NOON)
    kept = {"XX": {"first_year": 2026, "last_year": 2026, "days": {"2026-12-25": "Gone"}}}
    session.execute(
        update(agreements).values(source=changed("holidays: DE", "holidays: XX"), holidays=kept)
    )
    publish(session, RENAMED, by="ada", now=NOON)

    assert holiday_names(publish_again(session, 1, by="ada", now=NOON)) == ["Gone"]


def holiday_names(published: Published) -> list[str]:
    """The holidays between two Fridays in which the calendar, which opens on Mondays, would else be open every day."""
    [calendar] = published.agreement.sla.calendars
    daily = calendar.model_copy(update={"hours": dict.fromkeys(Weekday, ("09:00-17:00",))})
    skipped = compile_calendar(daily).skipped_holidays(NOON, NOON + timedelta(days=37))
    return [it.name for it in skipped]
