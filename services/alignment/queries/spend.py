"""What campaigns cost, in all versions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, any_, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from services.alignment.domain.spend import Amount, Spend
from services.alignment.tables import spend
from shared.db.locks import AdvisoryLock

_COLUMNS = [spend.c[it] for it in ("campaign", "period", "version", "first_on", "last_on")]
_AMOUNT = [spend.c.amount_cents, spend.c.currency]


class Position(NamedTuple):
    """The end of a page: the period that begins last comes first, and of a period the latest version."""

    last_on: date
    period: str
    version: int


class RecordedSpend(NamedTuple):
    """A version, when it was kept, and whether it is the one that counts."""

    spend: Spend
    recorded_at: datetime
    is_latest: bool


def lock_spend(session: Session) -> None:
    """Let other transactions that add spend wait until this one ends: versions and overlaps are decided in turn."""
    session.execute(select(func.pg_advisory_xact_lock(AdvisoryLock.SPEND.value)))


def versions_of(session: Session, campaigns: Collection[str]) -> list[Spend]:
    """Every version of what these campaigns cost."""
    named = spend.c.campaign == any_(literal(list(campaigns), ARRAY(Text)))
    return list(map(_spend, session.execute(select(*_COLUMNS, *_AMOUNT).where(named))))


def add_spend(session: Session, added: Sequence[Spend], *, now: datetime) -> None:
    """Keep these versions."""
    rows = [
        {
            **{it.name: getattr(version, it.name) for it in _COLUMNS},
            "amount_cents": None if version.amount is None else version.amount.cents,
            "currency": None if version.amount is None else version.amount.currency,
            "recorded_at": now,
        }
        for version in added
    ]
    if rows:
        session.execute(insert(spend), rows)


def list_spend(
    session: Session, *, campaign: str | None = None, after: Position | None, limit: int
) -> list[RecordedSpend]:
    """The versions of a campaign, or of all, by the periods' last dates, the latest first."""
    order = (spend.c.last_on, spend.c.period, spend.c.version)
    versions = _versions()
    if campaign is not None:
        versions = versions.where(spend.c.campaign == campaign)
    rows = versions.subquery()
    keys = [rows.c[it.name] for it in order]
    statement = select(rows).order_by(*(it.desc() for it in keys), rows.c.campaign).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*keys) < tuple_(*after))
    return list(map(_recorded, session.execute(statement)))


def latest_spend(session: Session, campaign: str, period: str) -> RecordedSpend:
    """The version that counts; there is one."""
    statement = (
        select(*_COLUMNS, *_AMOUNT, spend.c.recorded_at)
        .where(spend.c.campaign == campaign, spend.c.period == period)
        .order_by(spend.c.version.desc())
        .limit(1)
    )
    row = session.execute(statement).one()
    return RecordedSpend(_spend(row), row.recorded_at, is_latest=True)


def spend_between(session: Session, first: date, last: date) -> list[Spend]:
    """Every version for periods that have a day from the first to the last date."""
    statement = select(*_COLUMNS, *_AMOUNT).where(
        spend.c.first_on <= last, spend.c.last_on >= first
    )
    return list(map(_spend, session.execute(statement)))


class PartPosition(NamedTuple):
    """The end of a page of what all campaigns cost."""

    campaign: str
    first_on: date
    period: str


def list_counted(
    session: Session,
    first: date,
    last: date,
    *,
    campaign: str | None = None,
    after: PartPosition | None,
    limit: int,
) -> list[RecordedSpend]:
    """The versions that count, with an amount, for periods that have a day in a range, by campaign and period."""
    if first > last:
        return []
    versions = _versions().where(spend.c.first_on <= last, spend.c.last_on >= first)
    if campaign is not None:
        versions = versions.where(spend.c.campaign == campaign)
    rows = versions.subquery()
    keys = [rows.c[it] for it in PartPosition._fields]
    statement = (
        select(rows)
        .where(rows.c.is_latest, rows.c.amount_cents.is_not(None))
        .order_by(*keys)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*keys) > tuple_(*after))
    return list(map(_recorded, session.execute(statement)))


def _versions() -> Select[*tuple[Any, ...]]:
    """Versions, and of each whether it is the latest one of its campaign and period."""
    latest = func.max(spend.c.version).over(partition_by=(spend.c.campaign, spend.c.period))
    is_latest = spend.c.version == latest
    return select(*_COLUMNS, *_AMOUNT, spend.c.recorded_at, is_latest.label("is_latest"))


def _recorded(row: Row[*tuple[Any, ...]]) -> RecordedSpend:
    return RecordedSpend(_spend(row), row.recorded_at, row.is_latest)


def _spend(row: Row[*tuple[Any, ...]]) -> Spend:
    amount = None if row.amount_cents is None else Amount(row.amount_cents, row.currency)
    return Spend(row.campaign, row.period, row.version, row.first_on, row.last_on, amount)
