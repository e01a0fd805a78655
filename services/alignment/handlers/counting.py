"""Counting a stale day anew, in a transaction of its own."""

from __future__ import annotations

from sqlalchemy.orm import Session

from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.queries import stale_days
from services.alignment.queries.day_counts import count_day
from shared.agreement.store import Policies

MARKS = 20_000
"""How many marks of each kind, of handoffs and of leads, one transaction replaces by those of their days."""


def count_oldest_day(session: Session, policies: Policies[AlignmentPolicy]) -> bool:
    """Count the day that has been stale for longest; False if there is none, or if another process counts.

    Its marks are deleted first, so what is counted includes the changes that they are about. The mark of a change that
    is committed later stays, and the day is counted again.
    """
    if not stale_days.lock_counting(session):
        return False
    stale_days.mark_days(session, limit=MARKS)
    day = stale_days.find_stale_day(session)
    if day is None:
        return False
    stale_days.delete_marks(session, day)
    count_day(session, day, policies)
    return True
