"""Published agreements: immutable, numbered from 1, kept in the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import ClassVar, Generic, TypeVar

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from shared.agreement.holidays import KeptHolidays, resolved, with_holidays
from shared.agreement.load import parse, parse_published
from shared.agreement.model import Agreement
from shared.db.tables import agreements
from shared.errors import Rejected, Unavailable
from shared.process import logs

log = logs.get(__name__)

P = TypeVar("P")


class NoAgreement(Unavailable):
    """Nothing is published yet; work waits for it."""

    code: ClassVar[str] = "no_agreement"


class UnknownVersion(Rejected):
    """The agreement has no version of this number."""

    code: ClassVar[str] = "unknown_agreement_version"
    status: ClassVar[int] = 404


@dataclass(frozen=True, slots=True)
class Published:
    """An agreement with the version that decisions record."""

    version: int
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Version:
    """A published version, without its file."""

    number: int
    published_at: datetime
    published_by: str
    note: str
    first: int
    """The first version with the same file, perhaps this one."""


def publish(session: Session, source: str, *, by: str, now: datetime, note: str = "") -> Published:
    """Publish the source as the next version, unless it is the newest already; InvalidAgreement if it has faults."""
    agreement = parse(source)
    holidays = resolved(agreement, year=now.year)
    version = _add_version(session, source, holidays, by=by, note=note, now=now)
    return Published(version, with_holidays(agreement, _kept_holidays(session, version)))


def publish_again(
    session: Session, number: int, *, by: str, now: datetime, note: str = ""
) -> Published:
    """Publish the file of an old version as the next version, unless it is the newest; raises UnknownVersion.

    The file is not checked again: a check that has become stricter must not block the way back. Its holidays are
    those of today; a set that the installed package has no more is as the old version kept it.
    """
    source = source_of(session, number)
    agreement = parse_published(source)
    holidays = {
        **(_kept_holidays(session, number) or {}),
        **resolved(agreement, year=now.year),
    }
    version = _add_version(session, source, holidays, by=by, note=note, now=now)
    return Published(version, with_holidays(agreement, _kept_holidays(session, version)))


def _add_version(
    session: Session, source: str, holidays: KeptHolidays, *, by: str, note: str, now: datetime
) -> int:
    """Add the source as the next version, unless it is the newest; return the number of the newest."""
    digest = sha256(source.encode()).digest()
    # One publisher at a time; readers do not wait for this lock.
    session.execute(text("lock table messaging.agreements in exclusive mode"))
    newest = session.execute(
        select(agreements.c.version, agreements.c.digest)
        .order_by(agreements.c.version.desc())
        .limit(1)
    ).first()
    if newest and newest.digest == digest:
        return int(newest.version)
    version: int = newest.version + 1 if newest else 1
    session.execute(
        insert(agreements).values(
            version=version,
            source=source,
            digest=digest,
            published_at=now,
            published_by=by,
            note=note,
            holidays=holidays,
        )
    )
    return version


def _kept_holidays(session: Session, number: int) -> KeptHolidays | None:
    """The holidays that were kept with a version; None for one of before they were."""
    kept: KeptHolidays | None = session.scalar(
        select(agreements.c.holidays).where(agreements.c.version == number)
    )
    return kept


def versions(
    session: Session, *, before: int | None = None, limit: int | None = None
) -> list[Version]:
    """The published versions, the newest first: all, or up to the limit those before a number."""
    columns = agreements.c
    listed = select(
        columns.version.label("number"),
        columns.published_at,
        columns.published_by,
        columns.note,
        func.min(columns.version).over(partition_by=columns.digest).label("first"),
    ).subquery()
    statement = select(*listed.c).order_by(listed.c.number.desc()).limit(limit)
    if before is not None:
        statement = statement.where(listed.c.number < before)
    return [Version(**row) for row in session.execute(statement).mappings()]


def source_of(session: Session, number: int) -> str:
    """The file of a version as it was published; raises UnknownVersion."""
    source = session.scalar(select(agreements.c.source).where(agreements.c.version == number))
    if source is None:
        raise UnknownVersion(f"version {number} of the agreement was never published here")
    return str(source)


class Policies(Generic[P]):
    """For each version of the agreement the policy that a service decides by, built once: versions never change."""

    def __init__(self, build: Callable[[int, Agreement], P]) -> None:
        """`build` gets a version's number and its agreement."""
        self._build = build
        self._policies: dict[int, P] = {}
        self._newest: int | None = None

    def current(self, session: Session) -> P:
        """The policy of the newest version; raises NoAgreement."""
        policy = self.find_current(session)
        if policy is None:
            raise NoAgreement("no agreement is published; run: leadbaton agreement publish FILE")
        return policy

    def find_current(self, session: Session) -> P | None:
        """The policy of the newest version, or None where none was ever published."""
        newest = session.scalar(select(func.max(agreements.c.version)))
        if newest is None:
            return None
        policy = self.version(session, newest)
        self._log_newest(newest)
        return policy

    def version(self, session: Session, number: int) -> P:
        """The policy of that version; raises UnknownVersion."""
        if number not in self._policies:
            agreement = parse_published(source_of(session, number))
            kept = _kept_holidays(session, number)
            self._policies[number] = self._build(number, with_holidays(agreement, kept))
        return self._policies[number]

    def at(self, session: Session, instant: datetime) -> P | None:
        """The policy of the version that was in force at this instant, or None where none was published."""
        listed = agreements.c
        number = session.scalar(
            select(func.max(listed.version)).where(listed.published_at <= instant)
        )
        return None if number is None else self.version(session, number)

    def follow(self, session: Session, _now: datetime) -> None:
        """Log the version in force when it changes, for workers that decide by recorded versions only."""
        newest = session.scalar(select(func.max(agreements.c.version)))
        if newest is not None:
            self._log_newest(newest)

    def _log_newest(self, newest: int) -> None:
        if newest != self._newest:
            log.info("agreement in force", version=newest, version_before=self._newest)
            self._newest = newest


class Agreements(Policies[Published]):
    """The agreement's versions as they were published."""

    def __init__(self) -> None:
        super().__init__(Published)
