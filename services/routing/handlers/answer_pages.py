"""What an answer page shows to the rep who has its link, and the answers that come from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from services.routing.domain import visibility
from services.routing.domain.answer_forms import AnswerForm, forms_of
from services.routing.domain.answer_links import AnswerLink, NoSuchLink
from services.routing.domain.answers import Actor, Answer, PastStep
from services.routing.domain.handoff import Handoff
from services.routing.domain.kept_promises import is_kept
from services.routing.domain.notifications import DueTimes
from services.routing.domain.policy import RoutingPolicy
from services.routing.domain.promise_pauses import promise_pauses
from services.routing.domain.roster import Rep
from services.routing.handlers.answers import on_answer
from services.routing.handlers.assignment import Assigner
from services.routing.queries import changes, handoffs, reps
from shared.auth.keys import InactiveRep


class Promise(NamedTuple):
    """A promise that is still to be kept for this handoff."""

    kind: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """A handoff as the rep of a link may see it."""

    link: AnswerLink
    handoff: Handoff
    rep: Rep
    holder: Rep | None
    """Who holds the handoff now, or held it to its end."""
    steps: Sequence[PastStep]
    promises: Sequence[Promise]
    forms: Sequence[AnswerForm]
    zone: ZoneInfo
    """The rep's time zone."""

    @property
    def is_open(self) -> bool:
        """Whether the rep may answer by this link."""
        return _is_open(self.handoff, self.link)

    @property
    def has_moved(self) -> bool:
        """Whether the handoff has gone on to a further hop."""
        return self.handoff.hop > self.link.hop


def read_answer_page(
    session: Session, link: AnswerLink, *, assigner: Assigner, now: datetime
) -> AnswerPage:
    """The page of the link; raises NoSuchLink where the handoff is gone, and InactiveRep."""
    handoff = handoffs.find_handoff(session, link.handoff_id)
    if handoff is None:
        raise NoSuchLink("there is nothing at this link any more")
    people = {it.id: it for it in reps.reps_by_id(session, [link.rep, handoff.rep or link.rep])}
    rep = people.get(link.rep)
    if rep is None or not rep.active:
        raise InactiveRep(
            "you are not in the list of active reps any more, so that you cannot answer: ask operations"
        )
    policy = assigner.policies.version(session, handoff.agreement_version)
    steps = visibility.steps_for(link.rep, handoff, changes.past_steps(session, handoff.id))
    if not steps:
        raise NoSuchLink("there is nothing at this link any more")
    is_open = _is_open(handoff, link)
    return AnswerPage(
        link,
        handoff,
        rep,
        holder=people.get(handoff.rep or ""),
        steps=steps,
        promises=sorted(_promises(handoff, policy, steps), key=lambda it: it.due_at)
        if is_open
        else (),
        forms=forms_of(handoff, policy.agreement.routing, now=now) if is_open else (),
        zone=policy.teams[handoff.team].zone_of(rep),
    )


def on_linked_answer(
    session: Session, link: AnswerLink, answer: Answer, *, assigner: Assigner, now: datetime
) -> bool:
    """Save the answer of the link's rep; False if it was saved before, so that nothing has changed.

    Raises what `on_answer` raises: HandoffMoved, where the hop is over.
    """
    before = handoffs.find_handoff(session, link.handoff_id)
    actor = Actor("rep", link.rep)
    on_answer(session, link.handoff_id, answer, actor=actor, assigner=assigner, now=now)
    after = handoffs.find_handoff(session, link.handoff_id)
    return before is None or after is None or after.sequence > before.sequence


def _is_open(handoff: Handoff, link: AnswerLink) -> bool:
    return handoff.state.held and (handoff.rep, handoff.hop) == (link.rep, link.hop)


def _promises(
    handoff: Handoff, policy: RoutingPolicy, steps: Sequence[PastStep]
) -> Iterator[Promise]:
    """The promises that no step has kept yet, each with the instant at which it is due, after its pauses."""
    due_times = DueTimes(policy.agreement.sla.policies, policy.teams[handoff.team])
    reasons = policy.agreement.routing.pause_reasons
    for promise, due_at in due_times.of(
        handoff, lambda it: promise_pauses(steps, it, reasons, hop=handoff.hop)
    ):
        if not is_kept(promise, handoff, steps):
            yield Promise(promise.kind, due_at)
