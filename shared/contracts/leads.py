"""Qualified leads as routing has them: checked as `LeadQualified` is, in a third of its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

import msgspec

from shared.contracts.decoding import either
from shared.contracts.events import Instant
from shared.contracts.payloads import LeadQualified, Qualified
from shared.values import Value


class Known(Protocol):
    """What routing reads of a lead's context, as `payloads.LeadContext`."""

    @property
    def email(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def account(self) -> str | None: ...
    @property
    def traits(self) -> dict[str, Any]: ...
    @property
    def first_campaign(self) -> dict[str, str]: ...
    @property
    def last_campaign(self) -> dict[str, str]: ...
    @property
    def sources(self) -> tuple[str, ...]: ...


class Points(Protocol):
    """A lead's numbers, as `payloads.Scores`."""

    @property
    def fit(self) -> float: ...
    @property
    def engagement(self) -> float: ...
    @property
    def grade(self) -> str: ...


class Lead(Protocol):
    """A lead that qualified or ceased to, as `payloads.LeadQualified`."""

    @property
    def lead_id(self) -> UUID: ...
    @property
    def qualification(self) -> int: ...
    @property
    def change(self) -> Qualified: ...
    @property
    def at(self) -> datetime: ...
    @property
    def tier(self) -> str: ...
    @property
    def cause(self) -> str: ...
    @property
    def scores(self) -> Points: ...
    @property
    def agreement_version(self) -> int: ...
    @property
    def context(self) -> Known: ...


class _Reason(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    rule: str
    label: str
    points: float


class _Scores(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    fit: float
    engagement: float
    grade: str
    likelihood: float | None = None


class _Touch(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    type: str
    time: Instant
    title: str | None = None
    url: str | None = None
    properties: dict[str, Value] = msgspec.field(default_factory=dict)


class _Context(msgspec.Struct, frozen=True, omit_defaults=True):
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    company: str | None = None
    account: str | None = None
    traits: dict[str, Value] = msgspec.field(default_factory=dict)
    why_now: _Touch | None = None
    reasons: tuple[_Reason, ...] = ()
    recent: tuple[_Touch, ...] = ()
    first_campaign: dict[str, str] = msgspec.field(default_factory=dict)
    last_campaign: dict[str, str] = msgspec.field(default_factory=dict)
    sources: tuple[str, ...] = ()


class _Lead(msgspec.Struct, frozen=True, omit_defaults=True):
    lead_id: UUID
    qualification: Annotated[int, msgspec.Meta(ge=1)]
    change: Qualified
    at: Instant
    tier: str
    cause: str
    scores: _Scores
    agreement_version: int
    context: _Context


lead_of: Callable[[bytes | str], Lead] = either(_Lead, LeadQualified)
"""The lead that was written so; raises pydantic's ValidationError."""


def written_lead(lead: Lead) -> bytes:
    """The lead as JSON, for `lead_of`."""
    if isinstance(lead, LeadQualified):
        return lead.model_dump_json(exclude_none=True).encode()
    return msgspec.json.encode(lead)
