"""Leads that change without an event: because points fade, or by a new version of the agreement."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.scoring.domain.known import count_announcement
from services.scoring.domain.lead import Lead
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.verdict import judge
from services.scoring.handlers.crossings import announce_crossings
from services.scoring.handlers.known import announce_known
from services.scoring.handlers.versions import leads_under
from services.scoring.queries import leads
from shared.agreement.store import Policies

MAX_REVIEWED = 500
MAX_JUDGED = 2_000
MAX_COUNTED = 50
"""How many leads are done at once: few, so that messages never wait long."""


def review_leads(session: Session, now: datetime, *, policies: Policies[ScoringPolicy]) -> bool:
    """Judge leads whose review is due, and leads of an older agreement by the newest; returns whether more may wait.

    Where the newest agreement scores otherwise than the older one, leads are counted again from their events first.
    """
    policy = policies.current(session)
    due = leads.claim_leads_to_review(session, now, limit=MAX_REVIEWED)
    outdated, has_more = _claim_outdated(session, policy, policies)
    stored = {it.id: it for it in (*due, *outdated)}
    claimed = leads_under(session, stored, policy, policies, now)

    verdicts = [
        count_announcement(judge(lead, (), policy, now=now), stored[lead.id])
        for lead in claimed.values()
    ]

    changed = [it.lead for it in verdicts if not _has_only_new_version(stored[it.lead.id], it.lead)]
    leads.save_leads(session, changed)
    leads.save_version(session, stored.keys() - {it.id for it in changed}, policy.version)
    leads.add_steps(session, [step for verdict in verdicts for step in verdict.steps])

    announce_known(session, changed, stored, policy, now=now)
    announce_crossings(session, verdicts, policy)
    return has_more or len(due) == MAX_REVIEWED


def _claim_outdated(
    session: Session, policy: ScoringPolicy, policies: Policies[ScoringPolicy]
) -> tuple[list[Lead], bool]:
    """Leads of the oldest version in use, locked, and whether there may be more of them."""
    version = leads.find_oldest_version(session)
    if version is None or version >= policy.version:
        return [], False
    counts_alike = policy.counts_like(policies.version(session, version))
    limit = MAX_JUDGED if counts_alike else MAX_COUNTED
    claimed = leads.claim_leads_of_version(session, version, limit=limit)
    return claimed, len(claimed) == limit


def _has_only_new_version(before: Lead, after: Lead) -> bool:
    return before._replace(version=after.version) == after
