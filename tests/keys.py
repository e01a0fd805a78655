"""Looks up API keys for tests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from shared.auth.keys import Caller
from shared.auth.queries import key_of


def find_caller(session: Session, key: str, *, now: datetime) -> Caller:
    """The caller of the key; raises UnknownKey, ExpiredKey or InactiveRep."""
    stored = key_of(session, key)
    stored.check(now)
    return stored.caller()
