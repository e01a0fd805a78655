"""Qualified leads become handoffs: each exactly one, each with a rep or waiting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing.domain.handoff import Handoff, State, handoff_id, returned
from services.routing.handlers.office import Office, arrival
from services.routing.handlers.placing import place
from services.routing.queries import bench, handoffs
from services.routing.queries.announcing import record
from shared.contracts.payloads import LeadQualified, Qualified
from shared.contracts.topic import Message

MERGED = "merged"
Arrived = Sequence[Message[LeadQualified]]


def on_leads_qualified(
    session: Session, arrived: Arrived, now: datetime, *, office: Office
) -> None:
    """Begin a handoff for each lead that qualified, end those that wait for one that ceased to, and give out leads.

    The teams are locked first, all of them and in order, so that no two batches wait for each other.
    """
    new = {it.id: it for it in _arrivals(session, arrived, office)}
    ceased = [handoff_id(it.payload.lead_id, it.payload.qualification) for it in arrived]
    teams = {it.team for it in new.values()} | handoffs.teams_of(session, ceased)
    review_at = bench.lock_teams(session, teams)
    fresh: set[UUID] = set()
    for wave in waves(arrived):
        fresh |= _begin(session, [new[it] for it in _ids(wave, Qualified.BECAME)], now)
        _end(session, wave, now)
    for team in sorted(teams):
        due = review_at[team]
        place(
            session,
            team,
            office=office,
            now=now,
            fresh=fresh,
            everybody=due is not None and due <= now,
        )


def waves(arrived: Arrived) -> Iterator[list[Message[LeadQualified]]]:
    """The messages in portions in which each lead occurs once, so that its changes take effect in their order."""
    wave: list[Message[LeadQualified]] = []
    leads: set[UUID] = set()
    for message in arrived:
        if message.payload.lead_id in leads:
            yield wave
            wave, leads = [], set()
        wave.append(message)
        leads.add(message.payload.lead_id)
    if wave:
        yield wave


def _arrivals(session: Session, arrived: Arrived, office: Office) -> Iterator[Handoff]:
    for message in arrived:
        if message.payload.change is Qualified.BECAME:
            published = office.agreements.version(session, message.payload.agreement_version)
            yield arrival(message.payload, published, traceparent=message.traceparent)


def _ids(wave: Arrived, change: Qualified) -> list[UUID]:
    return [
        handoff_id(it.payload.lead_id, it.payload.qualification)
        for it in wave
        if it.payload.change is change
    ]


def _begin(session: Session, new: Sequence[Handoff], now: datetime) -> Set[UUID]:
    """Add the handoffs; one whose lead is in hand already is closed at once, as part of the one that is."""
    added: set[UUID] = set()
    left = list(new)
    while left:
        added |= handoffs.add_handoffs(session, left)
        left = [it for it in left if it.id not in added]
        live = handoffs.live_handoffs(session, [it.lead_id for it in left])
        _merge(session, [(it, live[it.lead_id]) for it in left if it.lead_id in live], now)
        # What is neither there now nor merged met a handoff that closed just now: its lead is free.
        known = handoffs.known_handoffs(session, [it.id for it in left])
        left = [it for it in left if it.id not in known]
    return added


def _merge(session: Session, met: Sequence[tuple[Handoff, UUID]], now: datetime) -> None:
    closed = [
        replace(it, state=State.MERGED, merged_into=live, closed_at=now)
        for it, live in met
        if live != it.id
    ]
    merged = handoffs.add_handoffs(session, closed)
    steps = [returned(it, now=now, state=State.MERGED, reason=MERGED) for it in closed]
    record(session, [it for it in steps if it.handoff.id in merged])


def _end(session: Session, wave: Arrived, now: datetime) -> None:
    """A lead that ceased to qualify while it waited goes back; one that a rep has stays with the rep."""
    causes = {
        handoff_id(it.payload.lead_id, it.payload.qualification): it.payload.cause
        for it in wave
        if it.payload.change is Qualified.CEASED
    }
    waiting = handoffs.locked_waiting(session, causes)
    record(session, [returned(it, now=now, reason=causes[it.id]) for it in waiting])
