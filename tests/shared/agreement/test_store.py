"""Versions are numbered from 1, never change, and are published one at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.agreement.load import InvalidAgreement
from shared.agreement.store import Agreements, NoAgreement, UnknownVersion, publish
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
    versions = Agreements()
    for source, number in ((WHOLE, 1), (RENAMED, 2), (WHOLE, 3)):
        published = publish(session, source, by="ada", now=NOON)
        assert published.version == number
        assert versions.current(session) == published
    assert versions.version(session, 2).agreement.name == "Other"
    assert versions.version(session, 2) is versions.version(session, 2)


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
