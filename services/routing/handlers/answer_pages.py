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
from services.routing.domain.applied_terms import PromisedHandoff
from services.routing.domain.handoff import Handoff
from services.routing.domain.kept_promises import is_kept
from services.routing.domain.roster import Rep
from services.routing.domain.satisfaction import satisfaction_outcomes
from services.routing.handlers.answers import on_answer
from services.routing.handlers.applied_terms import agreement_after_win, due_times_by_version
from services.routing.handlers.assignment import Assigner
from services.routing.queries import changes, handoffs, reps
from services.routing.queries.applied_terms import terms_applied_to
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
        return bool(self.forms)

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
    is_own_hop = (handoff.rep, handoff.hop) == (link.rep, link.hop)
    forms = _forms(session, handoff, assigner, now) if is_own_hop else []
    promises = _promises(session, handoff, steps, assigner) if forms else ()
    return AnswerPage(
        link,
        handoff,
        rep,
        holder=people.get(handoff.rep or ""),
        steps=steps,
        promises=sorted(promises, key=lambda it: it.due_at),
        forms=forms,
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


def _forms(
    session: Session, handoff: Handoff, assigner: Assigner, now: datetime
) -> list[AnswerForm]:
    agreement = agreement_after_win(session, handoff, assigner.policies)
    outcomes = satisfaction_outcomes(handoff, agreement)
    return forms_of(handoff, agreement.routing, now=now, outcomes_after_win=outcomes)


def _promises(
    session: Session, handoff: Handoff, steps: Sequence[PastStep], assigner: Assigner
) -> Iterator[Promise]:
    """The promises that no step has kept yet, each with the instant at which it is due, after its pauses."""
    policies, applied = assigner.policies, terms_applied_to(session, [handoff.id])
    promised = PromisedHandoff(handoff, steps, applied.get(handoff.id, ()))
    team = policies.version(session, handoff.agreement_version).teams[handoff.team]
    versions = due_times_by_version(session, [promised], policies, team)
    for promise, due_at in promised.due_times(versions):
        if not is_kept(promise, handoff, steps):
            yield Promise(promise.kind, due_at)
