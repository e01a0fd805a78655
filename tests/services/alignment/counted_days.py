"""Counts some of the days, so that reports read some sums and some handoffs."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from sqlalchemy.orm import Session

from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.queries.day_counts import count_day
from services.alignment.queries.stale_days import delete_marks, mark_days
from shared.agreement.store import Policies
from tests.builders import NOON
from tests.services.alignment.histories import BEGIN


def count_days(session: Session, chance: Random, share: float) -> None:
    """Count about this share of the days of histories; the others stay as they are."""
    mark_days(session, limit=100_000)
    last = NOON.date() + timedelta(days=40)
    for number in range((last - BEGIN.date()).days):
        if chance.random() < share:
            day = BEGIN.date() + timedelta(days=number)
            delete_marks(session, day)
            count_day(session, day, Policies(AlignmentPolicy))
