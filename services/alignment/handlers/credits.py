"""Counting the credit of the wins of a stale day anew, in a transaction of its own."""

from __future__ import annotations

from sqlalchemy.orm import Session

from services.alignment.domain.policy import AlignmentPolicy, attribution_of, terms_of
from services.alignment.queries.credit_counts import count_credits, delete_marks, find_stale_day
from services.alignment.queries.stale_days import lock_counting
from shared.agreement.store import Policies


def count_oldest_credits(session: Session, policies: Policies[AlignmentPolicy]) -> bool:
    """Count the credit of the day that has been stale for longest, by the agreement in force.

    False if there is none, or if another process counts. Its marks are deleted first: the mark of a change that is
    committed later stays, and the day is counted again.
    """
    if not lock_counting(session):
        return False
    terms = terms_of(attribution_of(policies.find_current(session)))
    day = find_stale_day(session, terms)
    if day is None:
        return False
    delete_marks(session, day)
    count_credits(session, day, terms)
    return True
