"""The route that runs leads through a draft of the agreement, without effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from threading import BoundedSemaphore
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.routing.api.drafts import (
    CHECK_S,
    CHECK_WAIT_S,
    MAX_DRAFT,
    WALL_S,
    ChecksBusy,
)
from services.routing.domain.assignment.selection import Selection
from services.routing.handlers.answers import UnknownHandoff
from services.routing.handlers.assignment import Assigner
from services.routing.handlers.simulation import (
    MAX_HANDOFFS,
    SimulatedHandoff,
    simulate,
    simulate_one,
)
from shared.agreement.drafts import NAME, SlowDraft, check_draft_within
from shared.agreement.load import InvalidAgreement, parse_published
from shared.auth.keys import UnknownKey, WrongScope
from shared.http.dependencies import Now, Ops, Tx
from shared.http.problems import InvalidRequest, problems

EXAMPLES = 20
DRAFT = """\
leadbaton: 1
name: Draft
scoring:
  signals: [{id: demo, on: demo_requested, points: 50, half_life: 14d}]
qualification:
  threshold: {when: engagement >= 50, rearm_below: 30}
  tiers: [{id: standard, when: true}]
routing:
  teams: [{id: sales, calendar: office}]
  rules: [{id: everybody, when: true, team: sales}]
sla:
  calendars: [{id: office, zone: UTC, hours: {mon: ["09:00-17:00"]}}]
"""
"""A draft for the description of the route."""


class SimulationIn(BaseModel):
    """A draft, and the leads that are run through it: one, or those of the last days."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"source": DRAFT, "days": 7}]},
    )

    source: Annotated[str, StringConstraints(max_length=MAX_DRAFT)] = Field(
        description="The file, in YAML."
    )
    days: int = Field(
        default=7,
        ge=1,
        le=90,
        description=f"The leads that qualified in so many days, the {MAX_HANDOFFS:,} newest.",
    )
    handoff: UUID | None = Field(
        default=None, description="Only the lead of this handoff, and whom the rules would choose."
    )


class RuleMoveOut(BaseModel):
    """How many leads went by one rule, and would go by another."""

    rule: str = Field(description="The rule by which they went.")
    team: str
    new_rule: str = Field(description="The first rule of the draft that holds for them.")
    new_team: str
    leads: int


class SimulatedOut(BaseModel):
    """A lead that would go elsewhere, or the one that was asked for."""

    handoff_id: UUID
    lead_id: UUID
    rep: str | None = Field(description="Who has it, or had it last.")
    rule: str
    team: str
    new_rule: str
    new_team: str

    @classmethod
    def of(cls, simulated: SimulatedHandoff) -> Self:
        """The handoff, before and by the draft."""
        handoff, rule = simulated.handoff, simulated.match.rule
        return cls(
            handoff_id=handoff.id,
            lead_id=handoff.lead_id,
            rep=handoff.rep,
            rule=simulated.rule_before,
            team=simulated.team_before,
            new_rule=rule.id,
            new_team=rule.team,
        )


class SelectionOut(BaseModel):
    """Whom the draft's rules would choose for one lead, by the loads of this moment."""

    rep: str | None
    strategy: str
    rules: list[dict[str, Any]] = Field(description="Each rule up to the one that held.")
    candidates: list[dict[str, Any]] = Field(
        description="Each candidate with their shortfall, or with what excludes them."
    )

    @classmethod
    def of(cls, simulated: SimulatedHandoff, selection: Selection) -> Self:
        """The selection with what explains it."""
        return cls(
            rep=selection.rep,
            strategy=selection.strategy,
            rules=list(map(asdict, simulated.match.verdicts)),
            candidates=list(map(asdict, selection.candidates)),
        )


class SimulationOut(BaseModel):
    """What a draft would make of leads that were routed. Nothing has changed."""

    leads: int = Field(description="How many were run through the draft.")
    moved: int = Field(description="How many of these would go to another team.")
    moves: list[RuleMoveOut] = Field(
        description="By rule, as it was and by the draft; most leads first."
    )
    examples: list[SimulatedOut] = Field(
        description=f"Up to {EXAMPLES} that would go to another team; or the one that was asked for."
    )
    selection: SelectionOut | None = Field(description="Only for one lead.")

    @classmethod
    def of(cls, simulated: Sequence[SimulatedHandoff]) -> Self:
        """The simulation of many leads."""
        moves = Counter(
            (it.rule_before, it.team_before, it.match.rule.id, it.match.rule.team)
            for it in simulated
        )
        moved = [it for it in simulated if it.is_moved]
        return cls(
            leads=len(simulated),
            moved=len(moved),
            moves=[
                RuleMoveOut(rule=rule, team=team, new_rule=new_rule, new_team=new_team, leads=leads)
                for (rule, team, new_rule, new_team), leads in moves.most_common()
            ],
            examples=list(map(SimulatedOut.of, moved[:EXAMPLES])),
            selection=None,
        )

    @classmethod
    def of_one(cls, simulated: SimulatedHandoff, selection: Selection) -> Self:
        """The simulation of one lead."""
        return cls.of([simulated]).model_copy(
            update={
                "examples": [SimulatedOut.of(simulated)],
                "selection": SelectionOut.of(simulated, selection),
            }
        )


def router(assigner: Assigner) -> APIRouter:
    """The route, which runs one simulation at a time."""
    routes = APIRouter()
    slot = BoundedSemaphore(1)

    @routes.post(
        "/routing/simulate",
        responses=problems(
            UnknownKey,
            WrongScope,
            SlowDraft,
            ChecksBusy,
            InvalidAgreement,
            UnknownHandoff,
            InvalidRequest,
        ),
    )
    def simulate_draft(body: SimulationIn, session: Tx, now: Now, _: Ops) -> SimulationOut:
        """Run leads that were routed through the rules of a draft, and compare, without effect.

        Rules and teams are compared; whom the rules would choose is shown for one lead, by the loads of this moment.
        """
        if not slot.acquire(timeout=CHECK_WAIT_S):
            raise ChecksBusy("another draft is being simulated: try again in a moment")
        try:
            checked = check_draft_within(body.source, processor_s=CHECK_S, wait_s=WALL_S)
            if checked.faults:
                raise InvalidAgreement(NAME, checked.faults)
            draft = parse_published(body.source)
            if body.handoff is None:
                simulated = simulate(session, draft, days=body.days, assigner=assigner, now=now)
                return SimulationOut.of(simulated)
            simulated_lead, selection = simulate_one(
                session, body.handoff, draft, assigner=assigner, now=now
            )
        finally:
            slot.release()
        return SimulationOut.of_one(simulated_lead, selection)

    return routes
