"""Counts of failed conditions in the database, by rule: workers add to them, and `leadbaton doctor` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.agreement.cel.failures import Cause, Failures
from shared.db.tables import condition_failures

WRITE_INTERVAL = timedelta(seconds=10)
"""A worker writes at most once in this time, however many evaluations fail."""


@dataclass(frozen=True, slots=True)
class ConditionFailure:
    """How often a rule failed in the workers of one consumer group, and when that was written last."""

    group: str
    rule: str
    cause: str
    failures: int
    last_at: datetime


class FailureLog:
    """Writes the failures that one process counted to the database."""

    def __init__(self, group: str, failures: Failures) -> None:
        self._group = group
        self._failures = failures
        self._saved: dict[tuple[str, Cause], int] = {}
        self._next_at: datetime | None = None

    def save(self, session: Session, now: datetime) -> None:
        """Add the failures since the last write, unless there are none, or that write was within WRITE_INTERVAL."""
        if self._next_at is not None and now < self._next_at:
            return
        totals = self._failures.totals()
        unsaved = {key: it - self._saved.get(key, 0) for key, it in totals.items()}
        rows: list[dict[str, object]] = [
            {
                "consumer_group": self._group,
                "rule": rule,
                "cause": cause.value,
                "failures": count,
                "first_at": now,
                "last_at": now,
            }
            for (rule, cause), count in sorted(unsaved.items())
            if count
        ]
        if rows:
            _add(session, rows)
            self._saved = dict(totals)
            self._next_at = now + WRITE_INTERVAL


def _add(session: Session, rows: Sequence[dict[str, object]]) -> None:
    statement = insert(condition_failures).values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["consumer_group", "rule", "cause"],
            set_={
                "failures": condition_failures.c.failures + statement.excluded.failures,
                "last_at": statement.excluded.last_at,
            },
        )
    )


def failed_since(session: Session, since: datetime) -> list[ConditionFailure]:
    """The rules that failed since then, the latest first."""
    columns = condition_failures.c
    rows = session.execute(
        select(
            columns.consumer_group.label("group"),
            columns.rule,
            columns.cause,
            columns.failures,
            columns.last_at,
        )
        .where(columns.last_at >= since)
        .order_by(columns.last_at.desc(), columns.consumer_group, columns.rule, columns.cause)
    )
    return [ConditionFailure(**row) for row in rows.mappings()]
