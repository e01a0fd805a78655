"""Optimistic concurrency: a handler reads without locks, and runs again if another transaction has changed the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

M = TypeVar("M")
Handler = Callable[[Session, Sequence[M], datetime], None]


class StaleRead(Exception):
    """Rows that the transaction has read were changed or added meanwhile, so it must read again."""


def retried_when_stale(handle: Handler[M], *, on_stale: Callable[[], None]) -> Handler[M]:
    """The handler under a savepoint. After StaleRead it is rolled back, `on_stale` is called, and it runs again."""

    def retried(session: Session, messages: Sequence[M], now: datetime) -> None:
        is_done = False
        while not is_done:
            try:
                with session.begin_nested():
                    handle(session, messages, now)
                is_done = True
            except StaleRead:
                on_stale()

    return retried
