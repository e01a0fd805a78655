"""What a batch of messages does: load, decide, save, announce."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.scoring import metrics
from services.scoring.domain.card import RECENT, card
from services.scoring.domain.handoff import handed
from services.scoring.domain.holding import Holdings
from services.scoring.domain.lead import Lead, Stage, StageChange, refolded, united
from services.scoring.domain.people import Crowd, Shown
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.profile import event_key
from services.scoring.domain.verdict import Announced, Verdict, assess, judge
from services.scoring.queries import handoffs, holdings, leads, ledger
from shared.agreement.store import Policies
from shared.contracts.payloads import HandoffChanged, LeadQualified, MarketingEvent
from shared.contracts.topic import Message, Outgoing
from shared.contracts.topics import LEADS_QUALIFIED
from shared.messaging import outbox
from shared.process.tracing import child_of

REVIEWS = 500
REFOLDS = 50
"""How many leads one tick takes in hand, so that messages never wait long for it."""

CAREFUL = 100
"""For so many batches after one that was not all new, the ledger is asked first."""

Arrived = Message[MarketingEvent]
Belonging = dict[UUID, list[Arrived]]
"""The events of each lead."""


@dataclass(slots=True)
class Caution:
    """Whether to expect events that were seen before: they come in crowds, as after an outage of a sender."""

    batches: int = 0
    """For so many more."""

    def grow(self) -> None:
        """One was met, or another worker was faster somewhere."""
        self.batches = CAREFUL

    def one_less(self) -> None:
        """A batch is done."""
        self.batches = max(self.batches - 1, 0)


def on_marketing_events(
    session: Session,
    arrived: Sequence[Arrived],
    now: datetime,
    *,
    policies: Policies[ScoringPolicy],
    caution: Caution,
) -> None:
    """Give the events to their leads and judge each lead once; events seen before do nothing."""
    policy = policies.current(session)
    done = False
    while not done:
        with session.begin_nested() as attempt:
            done = _taken_in(session, arrived, policy, now, wary=caution.batches > 0)
            if not done:
                attempt.rollback()
                caution.grow()
    caution.one_less()


def on_handoffs_changed(
    session: Session, arrived: Sequence[Message[HandoffChanged]], now: datetime
) -> None:
    """Follow what sales does with the leads; a change that was taken in before does nothing."""
    del now
    changes = sorted((message.payload for message in arrived), key=lambda it: it.sequence)
    handoff_ids = {change.handoff_id for change in changes}
    surviving = leads.surviving(session, {change.lead_id for change in changes})
    found = leads.locked_leads(session, set(surviving.values()))
    followed = handoffs.followed(session, handoff_ids)
    held = Holdings(holdings.holdings_of(session, handoff_ids))

    steps: list[StageChange] = []
    for change in changes:
        if change.sequence <= followed.get(change.handoff_id, 0):
            continue
        followed[change.handoff_id] = change.sequence
        lead_id = surviving.get(change.lead_id, change.lead_id)
        held.follow(change, lead_id)
        if lead_id in found:
            verdict = handed(found[lead_id], change)
            found[lead_id] = verdict.lead
            steps.extend(verdict.steps)

    leads.save_leads(session, found.values())
    leads.add_steps(session, steps)
    holdings.save_holdings(session, held.changed.values())
    handoffs.follow(session, followed)


def tick(session: Session, now: datetime, *, policies: Policies[ScoringPolicy]) -> None:
    """Review the leads that decay alone has changed, and bring some to the newest agreement."""
    policy = policies.current(session)
    due = leads.claim_leads_to_review(session, now, limit=REVIEWS)
    old = leads.claim_leads_before(session, policy.version, limit=REFOLDS)
    found = _at_version(session, {lead.id: lead for lead in (*due, *old)}, policy, now)
    verdicts = [judge(lead, (), policy, now=now) for lead in found.values()]
    _save(session, verdicts)
    _announce(session, verdicts, policy, {}, now)


def _taken_in(
    session: Session,
    arrived: Sequence[Arrived],
    policy: ScoringPolicy,
    now: datetime,
    *,
    wary: bool,
) -> bool:
    """One attempt; False if this one must look again: not all was new, or another worker was faster somewhere.

    Every batch locks leads, then identities, then events, each in the order of its keys: none can wait in a circle.
    """
    alike = _alike(_new_events(session, arrived, wary=wary))
    if not alike:
        return True
    owners = leads.owners(session, {key for shown in alike for key in shown.identities()})
    met_before = set(owners.values())
    found = leads.locked_leads(session, met_before)
    if len(found) < len(met_before):
        return False
    found = _at_version(session, found, policy, now)

    crowd = Crowd(owners, {lead.id: lead.person for lead in found.values()})
    met = [(crowd.meet(its[0].payload), its) for its in alike.values()]
    belonging: Belonging = {}
    for lead_id, its in met:
        belonging.setdefault(crowd.lead_of(lead_id), []).extend(its)
    people, entered = _people(crowd, found, belonging, policy)
    if not _claimed(session, crowd):
        return False
    with ThreadPoolExecutor(1, thread_name_prefix="ledger") as beside:
        added = beside.submit(ledger.add_events, session, belonging)
        verdicts = _judged(people, belonging, policy, now)
    if not added.result():
        return False

    _join(session, crowd)
    leads.add_steps(session, entered)
    _save(session, verdicts)
    _announce(session, verdicts, policy, belonging, now)
    return True


def _new_events(session: Session, arrived: Sequence[Arrived], *, wary: bool) -> Iterable[Arrived]:
    """Each event once, if `wary` without those that the ledger holds."""
    first = {(it.payload.source, it.payload.id): it for it in reversed(arrived)}
    seen = ledger.seen_events(session, first.keys()) if wary else frozenset()
    return (it for key, it in reversed(first.items()) if key not in seen)


def _alike(new: Iterable[Arrived]) -> dict[Shown, list[Arrived]]:
    """The events by whom they show: those alike are met as one."""
    alike: dict[Shown, list[Arrived]] = {}
    for it in new:
        alike.setdefault(Shown.by(it.payload), []).append(it)
    return alike


def _at_version(
    session: Session, found: Mapping[UUID, Lead], policy: ScoringPolicy, now: datetime
) -> dict[UUID, Lead]:
    """The leads as these rules see them: those of another version are counted again from the ledger."""
    old = [lead.id for lead in found.values() if lead.version != policy.version]
    if not old:
        return dict(found)
    events = ledger.events_of(session, old)
    again = {it: refolded(found[it], events[it], policy, now=now) for it in old}
    return {**found, **again}


def _people(
    crowd: Crowd,
    found: Mapping[UUID, Lead],
    belonging: Belonging,
    policy: ScoringPolicy,
) -> tuple[dict[UUID, Lead], list[StageChange]]:
    """Everybody who has events in this batch, after all joins; and the first step of those who are new."""
    people = dict(found)
    people |= {it: Lead(it, crowd.people[it].since, policy.version) for it in crowd.created}
    for stays, goes in crowd.joins:
        people[stays] = united(people[stays], people.pop(goes), policy)
    entered = [
        StageChange(
            lead_id,
            Stage.KNOWN,
            event_key(belonging[lead_id][0].payload),
            crowd.people[lead_id].since,
        )
        for lead_id in sorted(crowd.created & people.keys())
    ]
    present = {it: people[it]._replace(known=crowd.people[it].known) for it in belonging}
    return present, entered


def _judged(
    people: Mapping[UUID, Lead], belonging: Belonging, policy: ScoringPolicy, now: datetime
) -> list[Verdict]:
    """Each lead judged once, with all of its events."""
    return [
        assess(people[lead_id], [it.payload for it in its], policy, now=now)
        for lead_id, its in belonging.items()
    ]


def _claimed(session: Session, crowd: Crowd) -> bool:
    """Make the identities ours; False if somebody else has one of them by now."""
    claimed = {key: crowd.lead_of(lead_id) for key, lead_id in crowd.claimed.items()}
    return leads.add_identities(session, claimed) == len(claimed)


def _join(session: Session, crowd: Crowd) -> None:
    """Move what belongs to joined leads; one that was made and joined in this batch never was."""
    joins = {goes: crowd.lead_of(stays) for stays, goes in crowd.joins if goes not in crowd.created}
    if joins:
        leads.join_leads(session, joins)
        ledger.move_events(session, joins)
        holdings.join_holdings(session, joins)


def _save(session: Session, verdicts: Sequence[Verdict]) -> None:
    leads.save_leads(session, [verdict.lead for verdict in verdicts])
    leads.add_steps(session, [step for verdict in verdicts for step in verdict.steps])


def _announce(
    session: Session,
    verdicts: Sequence[Verdict],
    policy: ScoringPolicy,
    belonging: Belonging,
    now: datetime,
) -> None:
    """Tell sales; the context is read from the ledger, for those few leads that crossed."""
    told = [verdict for verdict in verdicts if verdict.announced]
    if not told:
        return
    ids = [verdict.lead.id for verdict in told]
    recent = ledger.latest_events(session, ids, policy.worth_reading(), limit=RECENT)
    traces = {event_key(it.payload): it.traceparent for id_ in ids for it in belonging.get(id_, ())}
    records: list[Outgoing] = []
    for verdict in told:
        for announced in verdict.announced:
            why = announced.why_now
            trace = child_of(
                traces.get(event_key(why)) if why else None,
                f"lead {announced.change}",
                since=now,
                facts={"leadbaton.lead": str(verdict.lead.id)},
            )
            records.append(_record(verdict.lead, announced, policy, recent[verdict.lead.id], trace))
            metrics.ANNOUNCED.labels(announced.change, announced.live.tier, announced.cause).inc()
    outbox.append(session, records)


def _record(
    lead: Lead,
    announced: Announced,
    policy: ScoringPolicy,
    recent: Sequence[MarketingEvent],
    traceparent: str,
) -> Outgoing:
    live = announced.live
    said = LeadQualified(
        lead_id=live.lead_id,
        qualification=live.qualification,
        change=announced.change,
        at=announced.at,
        tier=live.tier,
        cause=announced.cause,
        scores=announced.scores,
        agreement_version=policy.version,
        context=card(lead, policy, why_now=announced.why_now, recent=recent, now=announced.at),
    )
    return LEADS_QUALIFIED.encode(
        said,
        id=f"{live.key}/{announced.change}",
        source="leadbaton/scoring",
        at=announced.at,
        traceparent=traceparent,
    )
