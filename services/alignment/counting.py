"""Counts stale days anew, in a thread of the worker, so that reports have few handoffs to read."""

from __future__ import annotations

import time
from threading import Event

from services.alignment import metrics
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.handlers.counting import count_oldest_day
from services.alignment.handlers.credits import count_oldest_credits
from services.alignment.health import stale_days
from shared.agreement.store import Policies
from shared.db.session import Sessions

PAUSES = 9
"""How much longer than a count the pause after it is: counting takes a tenth of a processor at most."""


def count_stale_days(sessions: Sessions, policies: Policies[AlignmentPolicy], stop: Event) -> None:
    """Count until no day is stale, or `stop`, and set the gauges.

    Sums of handoffs and credit of wins take turns, so that neither waits until the other has no stale day.
    """
    while not stop.is_set():
        began_s = time.monotonic()
        with sessions.begin() as session:
            is_counted = count_oldest_day(session, policies)
        with sessions.begin() as session:
            is_credited = count_oldest_credits(session, policies)
        _set_gauges(sessions, policies)
        if not is_counted and not is_credited:
            return
        stop.wait((time.monotonic() - began_s) * PAUSES)


def _set_gauges(sessions: Sessions, policies: Policies[AlignmentPolicy]) -> None:
    with sessions() as session:
        stale = stale_days(session, policies)
    metrics.STALE_DAYS.set(stale.number)
    metrics.STALE_SINCE.set(0 if stale.since is None else stale.since.timestamp())
