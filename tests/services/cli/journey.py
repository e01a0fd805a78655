"""A lead that has gone through all three services, as the tests of commands look at it."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.routing.handlers import Assigner, on_leads_qualified
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers import RepeatCheck
from services.scoring.main import marketing_events_handler
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.handoffs import on_handoffs_changed
from shared.agreement.store import Policies
from shared.clock import utc_now
from shared.contracts.topics import HANDOFFS_CHANGED, LEADS_QUALIFIED, MARKETING_EVENTS
from shared.db.session import Sessions
from tests.builders import marketing_event, message
from tests.engine import announcements
from tests.services.routing.builders import URL, entry, importing, publishing

LONG_AGO = timedelta(days=6)
"""Longer ago than any promise of the agreement takes, on a weekend too."""


def hand_over(
    sessions: Sessions, *emails: str, event: str = "demo_requested", is_active: bool = True
) -> datetime:
    """Let each person send the event six days ago, and Grace answer none of the leads. It returns that instant.

    If Grace is not active, the leads wait for a rep.
    """
    asked_at = utc_now() - LONG_AGO
    asking = [marketing_event(event, email=it, time=asked_at) for it in emails]
    with sessions.begin() as session:
        publishing(session)
        importing(session, entry("grace", active=is_active), now=asked_at)
        scoring = marketing_events_handler(Policies(ScoringPolicy), RepeatCheck())
        scoring(session, [message(MARKETING_EVENTS, it) for it in asking], asked_at)
    with sessions.begin() as session:
        qualified = announcements(sessions, LEADS_QUALIFIED)
        on_leads_qualified(session, qualified, asked_at, assigner=Assigner(URL))
    with sessions.begin() as session:
        changed = announcements(sessions, HANDOFFS_CHANGED)
        on_handoffs_changed(session, changed, asked_at, policies=Policies(SlaPolicy))
    return asked_at
