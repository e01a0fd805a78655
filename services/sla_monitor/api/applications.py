"""Routes that apply the agreement in force to running clocks: a preview, the command, its progress."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from services.sla_monitor.api.filters import KEY_ERRORS
from services.sla_monitor.domain.applications import (
    EXAMPLES,
    Application,
    ApplicationState,
    ClockEffect,
    Effect,
    NotNewest,
    PolicyInForce,
    UnknownApplication,
)
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.applications import (
    Preview,
    find_application,
    preview_application,
    start_application,
)
from services.sla_monitor.queries.applications import newest_applications
from shared.agreement.model import Id
from shared.agreement.store import NoAgreement, Policies
from shared.http.dependencies import Now, Ops, OpsOrRead, Tx
from shared.http.problems import InvalidRequest, problems

MAX_LISTED = 20
MAX_LOOKED_AT = 1_000
"""Handoffs that one preview looks at; the next request goes on with those after them."""

POLICY = (
    "Only clocks of this policy, which the agreement in force must not have any more: it ends them."
)
EFFECTS = (
    "How many open clocks, by what becomes of them: `earlier`, `later` or `unchanged` due times; `breached`: more "
    "working time has passed than the new target, so that they are due and breached at that moment; `met`: what the "
    "new version asks for had happened before; `cancelled`: their policy has ended; `kept`: they are overdue, or the "
    "new version does not have their team, and count as before."
)

ApplicationId = Annotated[UUID, Path(description="The id of the application.")]


class PreviewQuery(BaseModel):
    """Which clocks a preview looks at."""

    model_config = ConfigDict(extra="forbid")

    policy: Id | None = Field(default=None, description=POLICY)
    after: UUID | None = Field(default=None, description="The `next` of the preview before.")
    limit: int = Field(
        default=MAX_LOOKED_AT,
        ge=1,
        le=MAX_LOOKED_AT,
        description="How many handoffs it looks at.",
    )


class ApplyIn(BaseModel):
    """The version whose effect was looked at."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"agreement_version": 2},
                {"agreement_version": 2, "policy": "demo_within_a_day"},
            ]
        },
    )

    agreement_version: int = Field(
        ge=1,
        le=2**31 - 1,
        description="The version in force; another one is refused, so that what was looked at is what happens.",
    )
    policy: Id | None = Field(default=None, description=POLICY)


class EffectOut(BaseModel):
    """What becomes of one clock."""

    clock_id: UUID
    handoff_id: UUID
    policy: str
    kind: str
    team: str
    rep: str | None
    lead_name: str | None
    effect: Effect
    agreement_version: int = Field(description="The version by which it counts now.")
    due_at: datetime = Field(description="When it is due now.")
    new_due_at: datetime = Field(description="When it would be due.")

    @classmethod
    def of(cls, clock_effect: ClockEffect) -> Self:
        """The effect as it is answered."""
        before = clock_effect.before
        return cls(
            clock_id=before.id,
            handoff_id=before.handoff_id,
            policy=before.policy,
            kind=before.kind,
            team=before.team,
            rep=before.rep,
            lead_name=before.lead_name,
            effect=clock_effect.effect,
            agreement_version=before.agreement_version,
            due_at=before.due_at,
            new_due_at=clock_effect.after.due_at,
        )


class PreviewOut(BaseModel):
    """What the agreement in force would make of running clocks."""

    agreement_version: int = Field(description="The version in force.")
    policy: str | None
    handoffs: int = Field(description="How many handoffs were looked at.")
    clocks: int = Field(description="How many open clocks they have under older versions.")
    effects: dict[Effect, int] = Field(description=EFFECTS)
    examples: list[EffectOut] = Field(description=f"Up to {EXAMPLES} clocks of each effect.")
    next: UUID | None = Field(
        description="The `after` of the next preview, which looks at further handoffs; null: these were all."
    )

    @classmethod
    def of(cls, preview: Preview, policy: str | None) -> Self:
        """The preview as it is answered."""
        return cls(
            agreement_version=preview.version,
            policy=policy,
            handoffs=preview.handoffs,
            clocks=preview.effects.total(),
            effects=all_effects(preview.effects),
            examples=list(map(EffectOut.of, preview.examples)),
            next=preview.next,
        )


class ApplicationOut(BaseModel):
    """A version that is or was applied, and how far that is."""

    id: UUID
    agreement_version: int
    policy: str | None
    actor: str = Field(description="Who began it, as ops/NAME.")
    state: ApplicationState = Field(description="`replaced`: a newer application went on.")
    started_at: datetime
    ended_at: datetime | None
    handoffs: int = Field(description="How many handoffs it has come to.")
    effects: dict[Effect, int] = Field(description=EFFECTS)

    @classmethod
    def of(cls, application: Application) -> Self:
        """The application as it is now."""
        return cls(
            id=application.id,
            agreement_version=application.version,
            policy=application.policy,
            actor=application.actor,
            state=application.state,
            started_at=application.started_at,
            ended_at=application.ended_at,
            handoffs=application.handoffs,
            effects=all_effects(application.effects),
        )


class ApplicationsOut(BaseModel):
    """The applications that were begun last."""

    items: list[ApplicationOut] = Field(description=f"At most {MAX_LISTED}, the newest first.")


def all_effects(counts: Mapping[Effect, int]) -> dict[Effect, int]:
    """The count of every effect, 0 among them."""
    return {effect: counts.get(effect, 0) for effect in Effect}


def router(policies: Policies[SlaPolicy]) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.get(
        "/applications/preview",
        responses=problems(*KEY_ERRORS, PolicyInForce, NoAgreement, InvalidRequest),
    )
    def preview_applying(
        session: Tx, now: Now, _: OpsOrRead, query: Annotated[PreviewQuery, Query()]
    ) -> PreviewOut:
        """What the agreement in force would make of running clocks that count by older versions. Nothing changes."""
        preview = preview_application(
            session, policies, now=now, policy=query.policy, after=query.after, limit=query.limit
        )
        return PreviewOut.of(preview, query.policy)

    routes.include_router(_commands(policies))
    routes.get("/applications", responses=problems(*KEY_ERRORS))(list_applications)
    routes.get(
        "/applications/{id}", responses=problems(*KEY_ERRORS, UnknownApplication, InvalidRequest)
    )(read_application)
    return routes


def _commands(policies: Policies[SlaPolicy]) -> APIRouter:
    routes = APIRouter()

    @routes.post(
        "/applications",
        status_code=202,
        responses=problems(*KEY_ERRORS, NotNewest, PolicyInForce, NoAgreement, InvalidRequest),
    )
    def apply_agreement(body: ApplyIn, session: Tx, now: Now, caller: Ops) -> ApplicationOut:
        """Apply the agreement in force to running clocks. They are moved in batches within the next seconds.

        A clock keeps its start and the working time that it has spent; no clock becomes due in the past, and one that
        is overdue stays as it is. The same request again is the same application while it runs, and later changes
        nothing more. A request for another version or policy replaces the application that runs.
        """
        application = start_application(
            session,
            policies,
            body.agreement_version,
            policy=body.policy,
            actor=f"ops/{caller.subject}",
            now=now,
        )
        return ApplicationOut.of(application)

    return routes


def list_applications(session: Tx, _: OpsOrRead) -> ApplicationsOut:
    """The applications that were begun last."""
    listed = newest_applications(session, limit=MAX_LISTED)
    return ApplicationsOut(items=list(map(ApplicationOut.of, listed)))


def read_application(id: ApplicationId, session: Tx, _: OpsOrRead) -> ApplicationOut:
    """An application, and how far it is."""
    return ApplicationOut.of(find_application(session, id))
