"""Work on what was read without locks: done again where another transaction has changed it meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

M = TypeVar("M")
Handler = Callable[[Session, Sequence[M], datetime], None]


class StaleRead(Exception):
    """What the transaction has read is no longer so, or is not all: it must read again."""


def retried_when_stale(handle: Handler[M], *, on_stale: Callable[[], None]) -> Handler[M]:
    """The handler under a savepoint: where it raises StaleRead its work is undone and, after `on_stale`, done again."""

    def retried(session: Session, messages: Sequence[M], now: datetime) -> None:
        done = False
        while not done:
            try:
                with session.begin_nested():
                    handle(session, messages, now)
                done = True
            except StaleRead:
                on_stale()

    return retried
