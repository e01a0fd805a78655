"""Notifications: the handoff, its lead, its due times and its links, in at most 20 KB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec
import orjson

from services.routing.domain.handoff import Handoff
from services.routing.domain.notification_body import body, notification_data
from shared.agreement.model import Policy

ASSIGNED = "handoff.assigned"
WITHDRAWN = "handoff.withdrawn"
AT_RISK = "handoff.at_risk"
BREACHED = "handoff.breached"
UNDELIVERED = "handoff.undelivered"
DISABLED = "endpoint.disabled"
TESTED = "endpoint.test"
OUTCOME = "campaign.outcome"
ACCEPT = "accept"
"""The kind of the promise that a rep accepts."""


class _Parts(msgspec.Struct):
    """Parts of a qualification that notifications copy as bytes: encoding them again cost more than all the rest."""

    context: msgspec.Raw
    scores: msgspec.Raw


_parts_of = msgspec.json.Decoder(_Parts).decode


class Notification(NamedTuple):
    """A webhook for an endpoint. The id derives from its cause and is the webhook-id of every attempt."""

    id: UUID
    endpoint: str
    handoff_id: UUID | None
    hop: int
    type: str
    body: bytes
    traceparent: str | None = None
    accept_due_at: datetime | None = None
    """When the accept clock of the assignment that it is about is due; None where there is none."""
    not_before: datetime | None = None
    """When its receiver's hours begin, for which its first attempt waits; None where it waits for nothing."""
    clock_id: UUID | None = None
    """Of a message that waits for hours: the clock of its promise. It is cancelled when that is met meanwhile."""


def rep_endpoint(rep: str) -> str:
    """The id of a rep's endpoint."""
    return f"rep/{rep}"


def team_endpoint(team: str) -> str:
    """The id of the endpoint of a team."""
    return f"team/{team}"


OPS_ENDPOINT = "ops"
MARKETING_ENDPOINT = "marketing"


def notification_id(cause: str) -> UUID:
    """The id of the notification that this cause has: always the same for the same cause."""
    return uuid5(NAMESPACE_OID, cause)


def assignment(
    handoff: Handoff, due: Sequence[tuple[Policy, datetime]], *, public_url: str
) -> Notification:
    """The notification of an assignment, for its rep, with the promises about it and when they are due."""
    data = {
        **handoff_data(handoff, public_url=public_url),
        "due": [
            {"policy": policy.id, "kind": policy.kind, "due_at": due_at} for policy, due_at in due
        ],
    }
    return Notification(
        id=notification_id(f"{handoff.id}/{handoff.hop}/{ASSIGNED}"),
        endpoint=rep_endpoint(handoff.rep or ""),
        handoff_id=handoff.id,
        hop=handoff.hop,
        type=ASSIGNED,
        body=body(ASSIGNED, data, at=handoff.assigned_at or handoff.qualified_at),
        traceparent=handoff.traceparent,
        accept_due_at=min((at for policy, at in due if policy.kind == ACCEPT), default=None),
    )


def withdrawal(
    lost: Handoff, after: Handoff, *, reason: str, actor: str, public_url: str, at: datetime
) -> Notification:
    """The notification for the rep who lost a handoff, with the rep who has the lead now.

    `lost` is the handoff as it was. `after` is it as it is now or, where it was merged, the handoff that stays.
    """
    context = lost.lead.context
    data = {
        "handoff": {
            "id": lost.id,
            "lead_id": lost.lead_id,
            "hop": lost.hop,
            "team": lost.team,
            "rep": lost.rep,
            "tier": lost.tier,
            "qualified_at": lost.qualified_at,
            "assigned_at": lost.assigned_at,
        },
        "lead": {"name": context.name or context.email, "company": context.company},
        "withdrawn": {
            "reason": reason,
            "actor": actor,
            "handoff_id": after.id,
            "state": after.state,
            "team": after.team,
            "rep": after.rep,
        },
        "links": {"self": f"{public_url.rstrip('/')}/v1/handoffs/{lost.id}"},
    }
    return Notification(
        id=notification_id(f"{lost.id}/{lost.hop}/{WITHDRAWN}"),
        endpoint=rep_endpoint(lost.rep or ""),
        handoff_id=lost.id,
        hop=lost.hop,
        type=WITHDRAWN,
        body=body(WITHDRAWN, data, at=at),
        traceparent=lost.traceparent,
    )


def body_of_test(endpoint: str, *, actor: str, at: datetime) -> bytes:
    """The body of a test, by which the owner of an endpoint sees that it works."""
    return body(TESTED, {"endpoint": endpoint, "actor": actor}, at=at)


def undelivered(
    original: Notification, *, cause: str, endpoint: str, state: str, at: datetime
) -> Notification:
    """The notification of another endpoint that `original` was not delivered: `pending`, or `exhausted`."""
    undelivered_to = {"type": original.type, "endpoint": original.endpoint, "state": state}
    return _about(original, UNDELIVERED, undelivered_to, cause=cause, endpoint=endpoint, at=at)


def disabled(original: Notification, *, cause: str, at: datetime) -> Notification:
    """The notification of ops that the endpoint of `original` is disabled."""
    undelivered_to = {"type": original.type, "endpoint": original.endpoint, "state": "exhausted"}
    return _about(original, DISABLED, undelivered_to, cause=cause, endpoint=OPS_ENDPOINT, at=at)


def _about(
    original: Notification,
    type: str,
    undelivered_to: dict[str, str],
    *,
    cause: str,
    endpoint: str,
    at: datetime,
) -> Notification:
    data = {**notification_data(original.body), "undelivered": undelivered_to}
    return original._replace(
        id=notification_id(f"{cause}/{type}/{endpoint}"),
        endpoint=endpoint,
        type=type,
        body=body(type, data, at=at),
    )


def handoff_data(handoff: Handoff, *, public_url: str) -> dict[str, Any]:
    """The handoff, the bytes of its lead as they were announced, and the links for answers."""
    parts = _parts_of(handoff.lead_json)
    link = f"{public_url.rstrip('/')}/v1/handoffs/{handoff.id}"
    return {
        "handoff": {
            "id": handoff.id,
            "lead_id": handoff.lead_id,
            "state": handoff.state,
            "hop": handoff.hop,
            "team": handoff.team,
            "rep": handoff.rep,
            "tier": handoff.tier,
            "cause": handoff.lead.cause,
            "qualified_at": handoff.qualified_at,
            "assigned_at": handoff.assigned_at,
            "agreement_version": handoff.agreement_version,
        },
        "lead": orjson.Fragment(bytes(parts.context)),
        "scores": orjson.Fragment(bytes(parts.scores)),
        "links": {
            "self": link,
            "accept": f"{link}/accept",
            "reject": f"{link}/reject",
            "contact": f"{link}/contact",
            "win": f"{link}/win",
            "lose": f"{link}/lose",
        },
    }
