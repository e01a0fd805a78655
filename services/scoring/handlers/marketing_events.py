"""Marketing events: each is added to its lead, and each lead is assessed once a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.scoring import announcements
from services.scoring.domain.content_ids import keys_in_window_before, without_retries
from services.scoring.domain.identities import (
    EventMessage,
    IdentityResolver,
    grouped_by_identifiers,
)
from services.scoring.domain.known import count_announcement, has_earlier_touch
from services.scoring.domain.lead import Lead, resolved_leads
from services.scoring.domain.naming import changed_words
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.profile import Profile
from services.scoring.domain.verdict import Verdict, assess
from services.scoring.handlers.crossings import announce_crossings
from services.scoring.handlers.known import announce_known
from services.scoring.handlers.versions import leads_under
from services.scoring.queries import event_counts, holdings, leads, ledger, search
from shared.agreement.store import Policies
from shared.db.optimistic import StaleRead
from shared.messaging import outbox

CHECKED_BATCHES = 100
"""How many batches are checked for repeated events after a batch that had one."""

NOTHING_KNOWN = Profile()


@dataclass(slots=True)
class RepeatCheck:
    """Whether a batch is checked for events that the ledger holds already.

    Repeated events come in groups, such as after an outage of their sender.
    """

    batches: int = 0
    """How many more batches are checked."""

    def expect_repeats(self) -> None:
        """Check this batch and those that follow."""
        self.batches = CHECKED_BATCHES

    def count_batch(self) -> None:
        """Count a batch that is done."""
        self.batches = max(self.batches - 1, 0)


def on_marketing_events(
    session: Session,
    messages: Sequence[EventMessage],
    now: datetime,
    *,
    policies: Policies[ScoringPolicy],
    repeat_check: RepeatCheck,
) -> None:
    """Add the events to their leads and assess each lead once; events that are in the ledger already do nothing.

    Leads, identifiers and events are locked, each in the order of the keys. Raises StaleRead if one changed meanwhile.
    """
    policy = policies.current(session)
    new = _new_events(session, messages, repeat_check)
    groups = grouped_by_identifiers(new)
    owners = leads.owners(session, {key for it in groups for key in it.stored_keys()})
    stored = _locked_leads(session, set(owners.values()), policy, policies, now)

    resolver = IdentityResolver(owners, {lead.id: lead.person for lead in stored.values()})
    events = resolver.events_by_lead(groups.values())
    before, steps = resolved_leads(resolver, stored, events, policy)

    leads.add_identities(session, resolver.new_owners())
    with ledger.adding_events(session, events, policy.origin_of):  # the database works meanwhile
        verdicts = [
            assess(before[lead_id], [it.payload for it in events[lead_id]], policy, now=now)
            for lead_id in events
        ]
    merges = resolver.stored_merges()
    verdicts = _counted(verdicts, stored, events, policy, grown=set(merges.values()))
    _save_merges(session, merges)
    _save_leads(session, verdicts, stored)
    leads.add_steps(session, [*steps, *(step for verdict in verdicts for step in verdict.steps)])

    outbox.append(session, announcements.leads_merged(merges, stored, events, now=now))
    outbox.append(session, announcements.known_leads_merged(merges, stored, policy, now=now))
    announce_known(session, [it.lead for it in verdicts], stored, policy, now=now)
    announce_crossings(session, verdicts, policy, events)
    event_counts.add_counts(session, _by_source(messages), accepted=_by_source(new), now=now)
    repeat_check.count_batch()


def _by_source(messages: Sequence[EventMessage]) -> Counter[str]:
    """How many of the messages come from each source."""
    return Counter(it.payload.source for it in messages)


def _new_events(
    session: Session, messages: Sequence[EventMessage], repeat_check: RepeatCheck
) -> list[EventMessage]:
    """Each event once, in the order of the messages, without retries of events that came without an id.

    A checked batch leaves out what the ledger holds, too.
    """
    if before := keys_in_window_before(messages):
        messages = list(without_retries(messages, ledger.arrivals(session, before)))
    first = {(it.payload.source, it.payload.id): it for it in reversed(messages)}
    repeated = ledger.arrivals(session, first.keys()) if repeat_check.batches else {}
    return [message for key, message in reversed(first.items()) if key not in repeated]


def _locked_leads(
    session: Session,
    lead_ids: Set[UUID],
    policy: ScoringPolicy,
    policies: Policies[ScoringPolicy],
    now: datetime,
) -> dict[UUID, Lead]:
    """The leads under this policy, locked; raises StaleRead if one was merged into another meanwhile."""
    locked = leads.locked_leads(session, lead_ids)
    if len(locked) < len(lead_ids):
        raise StaleRead("a lead was merged into another one")
    return leads_under(session, locked, policy, policies, now)


def _counted(
    verdicts: Sequence[Verdict],
    stored: Mapping[UUID, Lead],
    events: Mapping[UUID, Sequence[EventMessage]],
    policy: ScoringPolicy,
    *,
    grown: Set[UUID],
) -> list[Verdict]:
    """The verdicts, with an announcement more where it is due; into the `grown` leads others were merged."""

    def has_earlier_touches(lead: Lead) -> bool:
        return lead.id in grown or (
            lead.id in stored
            and has_earlier_touch(lead, (it.payload for it in events[lead.id]), policy)
        )

    return [
        count_announcement(
            it, stored.get(it.lead.id), has_earlier_touches=has_earlier_touches(it.lead)
        )
        for it in verdicts
    ]


def _save_leads(session: Session, verdicts: Sequence[Verdict], stored: Mapping[UUID, Lead]) -> None:
    """Save the leads, and the words of those whose names or addresses are not the stored ones."""
    leads.save_leads(session, [verdict.lead for verdict in verdicts])
    before = {it.lead.id: stored[it.lead.id].profile for it in verdicts if it.lead.id in stored}
    words = {
        it.lead.id: changed_words(before.get(it.lead.id, NOTHING_KNOWN), it.lead.profile)
        for it in verdicts
    }
    search.save_words(session, {lead_id: it for lead_id, it in words.items() if it is not None})


def _save_merges(session: Session, merges: Mapping[UUID, UUID]) -> None:
    if merges:
        leads.merge_leads(session, merges)
        ledger.move_events(session, merges)
        holdings.merge_holdings(session, merges)
        search.delete_words(session, merges)
