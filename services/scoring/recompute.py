"""Computes leads again from the ledger and compares the result with the stored leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.scoring.domain.first_events import first_activity, first_naming
from services.scoring.domain.lead import Lead, rebuild
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.queries import leads, ledger
from shared.agreement.store import Policies
from shared.contracts.payloads import MarketingEvent
from shared.db.session import Sessions

PAGE = 200
FIRST_VERSION = 1
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a stored lead that differs from what its events give."""

    lead_id: UUID
    what: str
    kept: object
    computed: object


def compare_leads(
    sessions: Sessions,
    policies: Policies[ScoringPolicy],
    now: datetime,
    *,
    lead_id: UUID | None = None,
) -> Iterator[tuple[int, list[Difference]]]:
    """For each page, how many leads were computed again, and their differences. Nothing is changed."""
    last: UUID | None = None
    while True:
        with sessions() as session:
            page = _page_of_leads(session, lead_id, last)
            if page:
                yield len(page), differences(session, page, policies, now)
        if len(page) < PAGE:
            return
        last = page[-1].id


def differences(
    session: Session, leads_read: Sequence[Lead], policies: Policies[ScoringPolicy], now: datetime
) -> list[Difference]:
    """The differences of these leads, each computed under the agreement version of its stored state."""
    events = ledger.events_of(session, [lead.id for lead in leads_read])
    result: list[Difference] = []
    for lead in leads_read:
        policy = policies.version(session, lead.version)
        again = rebuild(lead, events[lead.id], policy, now=now)
        result.extend(_compare_lead(lead, again, policy, now))
        result.extend(_compare_instants(lead, events[lead.id], policy))
    return result


def _page_of_leads(session: Session, lead_id: UUID | None, last: UUID | None) -> list[Lead]:
    if lead_id is None:
        return leads.leads_after(session, last, limit=PAGE)
    lead = leads.find_lead(session, lead_id)
    return [] if lead is None else [lead]


def _compare_lead(
    kept: Lead, again: Lead, policy: ScoringPolicy, now: datetime
) -> Iterator[Difference]:
    numbers = {
        "fit": (kept.fit, again.fit),
        "engagement": (
            kept.profile.engagement(policy, now).value,
            again.profile.engagement(policy, now).value,
        ),
    }
    for what, (kept_value, computed_value) in numbers.items():
        if abs(kept_value - computed_value) > TOLERANCE:
            yield Difference(kept.id, what, kept_value, computed_value)
    for what in ("traits", "emails", "phones", "sources", "first_campaign", "last_campaign"):
        kept_value, computed_value = getattr(kept.profile, what), getattr(again.profile, what)
        if kept_value != computed_value:
            yield Difference(kept.id, what, kept_value, computed_value)


def _compare_instants(
    kept: Lead, events: Sequence[MarketingEvent], policy: ScoringPolicy
) -> Iterator[Difference]:
    """Since when the lead is known, and engaged, against the first events by which it is.

    What was known before these instants were kept is compared once it has been announced. Activity counts by the
    agreement of when its event was added, so it is compared only as long as there is one version of that.
    """
    if kept.known and kept.known_at is None:
        return
    known_at = first_naming(None, events)
    if kept.known_at != known_at and not (known_at is None and kept.known_at == kept.since):
        yield Difference(kept.id, "known_at", kept.known_at, known_at)
    active_at = first_activity(None, events, policy)
    if policy.version == FIRST_VERSION and not _is_active_since(kept, active_at, events):
        yield Difference(kept.id, "active_at", kept.active_at, active_at)


def _is_active_since(
    kept: Lead, active_at: datetime | None, events: Sequence[MarketingEvent]
) -> bool:
    """Whether it is active since the first activity, or since it was judged to be, which is the time of no event."""
    if kept.active_at is None or kept.active_at == active_at:
        return kept.active_at == active_at
    is_judged = kept.active_at not in {it.time for it in events}
    return is_judged and (active_at is None or kept.active_at < active_at)
