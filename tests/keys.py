"""API keys as tests look at them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from shared.auth.keys import Caller
from shared.auth.queries import find_key


def find_caller(session: Session, key: str, *, now: datetime) -> Caller:
    """Whom the key stands for; raises UnknownKey, ExpiredKey or InactiveRep."""
    kept = find_key(session, key)
    kept.check(now)
    return kept.caller()
