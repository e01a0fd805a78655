"""Qualified leads become handoffs: each exactly one, each with a rep or waiting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from services.routing.domain.handoff import Handoff, State, Step, handoff_id, returned
from services.routing.domain.policy import (
    RuleMatch,
)
from services.routing.handlers.assigner import (
    Assigner,
)
from services.routing.handlers.assignment import Queued, place
from services.routing.queries import handoffs, rep_loads
from services.routing.queries.announcing import record
from services.routing.queries.handoffs import Earlier
from shared.contracts.payloads import LeadQualified, Qualified
from shared.contracts.topic import Message

MERGED = "merged"


class _News(NamedTuple):
    """A message, and what it is about: a handoff that may begin with it, or be ended by it."""

    id: UUID
    lead_id: UUID
    cause: str
    begins: tuple[Handoff, RuleMatch] | None


def on_leads_qualified(
    session: Session,
    arrived: Sequence[Message[LeadQualified]],
    now: datetime,
    *,
    assigner: Assigner,
) -> None:
    """Begin a handoff for each lead that qualified, end those that wait for one that ceased to, and give out leads.

    The teams are locked first, all of them and in order, so that no two batches wait for each other.
    """
    news = [_news(session, it, assigner) for it in arrived]
    teams = {it.begins[0].team for it in news if it.begins is not None}
    teams |= handoffs.teams_of(session, [it.id for it in news if it.begins is None])
    review_at = rep_loads.lock_teams(session, teams)

    intake = _taken_in(session, news, now)
    record(session, intake.closed, new=True)
    record(session, intake.ended)
    for team in sorted(teams):
        due = review_at[team]
        everybody = due is not None and due <= now
        fresh = [it for it in intake.fresh.values() if it.handoff.team == team]
        place(session, team, fresh, assigner=assigner, now=now, everybody=everybody)


def _news(session: Session, message: Message[LeadQualified], assigner: Assigner) -> _News:
    lead = message.payload
    if lead.change is Qualified.CEASED:
        ended = handoff_id(lead.lead_id, lead.qualification)
        return _News(ended, lead.lead_id, lead.cause, None)
    published = assigner.policies.version(session, lead.agreement_version)
    under = published.match(lead)
    begun = published.new_handoff(message, under.rule)
    return _News(begun.id, lead.lead_id, lead.cause, (begun, under))


def _taken_in(session: Session, news: Sequence[_News], now: datetime) -> _Intake:
    earlier = handoffs.earlier_of(session, {it.lead_id for it in news})
    ended = [it.id for it in news if it.begins is None]
    intake = _Intake(now, earlier, handoffs.locked_waiting(session, ended) if ended else ())
    for it in news:
        if it.begins is not None:
            intake.start(*it.begins)
        else:
            intake.end(it.id, cause=it.cause)
    return intake


class _Intake:
    """What a batch begins and ends, lead by lead in the order in which it was said."""

    def __init__(
        self, now: datetime, earlier: Sequence[Earlier], waiting: Iterable[Handoff]
    ) -> None:
        self.fresh: dict[UUID, Queued] = {}
        self.closed: list[Step] = []
        """Of handoffs that begin and end here."""
        self.ended: list[Step] = []
        self._now = now
        self._known = {it.id for it in earlier}
        self._live = {it.lead_id: it.id for it in earlier if it.live}
        self._waiting = {it.id: it for it in waiting}
        had = sorted(
            (it for it in earlier if it.rep and not it.live), key=lambda it: it.qualification
        )
        self._previous = {it.lead_id: it.rep for it in had}

    def start(self, handoff: Handoff, under: RuleMatch) -> None:
        """A handoff of its own, once; one whose lead is in hand already is closed, as part of the one that is."""
        if handoff.id in self._known:
            return
        self._known.add(handoff.id)
        live = self._live.get(handoff.lead_id)
        if live is not None:
            merged = handoff._replace(merged_into=live)
            self.closed.append(returned(merged, now=self._now, state=State.MERGED, reason=MERGED))
            return
        self._live[handoff.lead_id] = handoff.id
        self.fresh[handoff.id] = Queued.of(
            handoff, under, previous_rep=self._previous.get(handoff.lead_id), new=True
        )

    def end(self, id: UUID, *, cause: str) -> None:
        """A lead that ceased to qualify while it waited goes back; one that a rep has stays with the rep."""
        if id in self.fresh:
            handoff, steps = self.fresh.pop(id).handoff, self.closed
        elif id in self._waiting:
            handoff, steps = self._waiting.pop(id), self.ended
        else:
            return
        del self._live[handoff.lead_id]
        steps.append(returned(handoff, now=self._now, reason=cause))
