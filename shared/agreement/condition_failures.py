"""Conditions that failed, by rule, for `leadbaton doctor`: each worker adds to the counts now and then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.agreement.cel.failures import Cause, Failures
from shared.db.tables import condition_failures

EVERY = timedelta(seconds=10)
"""A worker writes at most so often, however many evaluations fail."""


@dataclass(frozen=True, slots=True)
class Failed:
    """How often a rule failed in one group's workers, and when that was written last."""

    group: str
    rule: str
    cause: str
    failures: int
    last_at: datetime


class FailureLog:
    """What one process counted, on its way to the database."""

    def __init__(self, group: str, failures: Failures) -> None:
        self._group = group
        self._failures = failures
        self._saved: dict[tuple[str, Cause], int] = {}
        self._next_at: datetime | None = None

    def save(self, session: Session, now: datetime) -> None:
        """Add what failed since the last time; nothing if nothing did, or if that was a moment ago."""
        if self._next_at is not None and now < self._next_at:
            return
        totals = self._failures.totals()
        more = {key: it - self._saved.get(key, 0) for key, it in totals.items()}
        rows: list[dict[str, object]] = [
            {
                "consumer_group": self._group,
                "rule": rule,
                "cause": cause.value,
                "failures": count,
                "first_at": now,
                "last_at": now,
            }
            for (rule, cause), count in sorted(more.items())
            if count
        ]
        if rows:
            _add(session, rows)
            self._saved = dict(totals)
            self._next_at = now + EVERY


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


def failed_since(session: Session, since: datetime) -> list[Failed]:
    """The rules that failed since then, the last one first."""
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
    return [Failed(**row) for row in rows.mappings()]
