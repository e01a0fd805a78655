"""Builders of policies, histories of handoffs and clocks, and readers of what the database has of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.sla_monitor.domain.clocks import Clock, State
from services.sla_monitor.domain.derivation import derive_clocks
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.domain.tallies import EVERY
from services.sla_monitor.handlers.handoffs import on_handoffs_changed
from services.sla_monitor.queries.clocks import save_clocks
from services.sla_monitor.queries.lists import ClockFilter, all_clocks
from services.sla_monitor.queries.walks import Slice
from services.sla_monitor.tables import tallies
from shared.agreement.model import Agreement, Weekday
from shared.agreement.store import Policies, publish
from shared.contracts.payloads import Change, ClockChange, HandoffChanged, SlaChanged
from shared.contracts.topic import Record
from shared.contracts.topics import HANDOFFS_CHANGED, SLA_CHANGED
from shared.db.session import Sessions
from shared.db.tables import outbox
from shared.messaging.outbox import decoded_headers
from tests.builders import (
    DEFAULT_SECTIONS,
    NOON,
    agreement,
    an_id,
    handoff_changed,
    message,
    minutes,
)

WEEKDAY_CALENDAR = DEFAULT_SECTIONS["sla"]["calendars"][0]
ALWAYS = {
    "id": "always",
    "zone": "UTC",
    "hours": {day.value: ["00:00-24:00"] for day in Weekday},
}


def policy(id: str, **fields: Any) -> dict[str, Any]:
    """A policy: a first touch within an hour of each assignment, unless the fields say otherwise."""
    usual = {"kind": "first_touch", "scope": "hop", "anchor": "assigned", "target": "1h"}
    return {"id": id, **usual, **fields}


def agreement_with(*policies: dict[str, Any]) -> Agreement:
    """The builders' agreement with these policies, and two calendars."""
    return agreement(sla=sla_section(*policies))


def sla_section(
    *policies: dict[str, Any], holidays: str | None = None, **fields: Any
) -> dict[str, Any]:
    """The section `sla` of an agreement."""
    calendar = {**WEEKDAY_CALENDAR, "holidays": holidays}
    return {"calendars": [calendar, ALWAYS], "policies": list(policies), **fields}


PAUSE_REASONS = [
    {"id": "later", "kinds": ["first_touch"], "longest": "200h"},
]


PAUSABLE = {**DEFAULT_SECTIONS["routing"], "pause_reasons": PAUSE_REASONS}


def publish_policies(
    session: Session,
    *policies: dict[str, Any],
    holidays: str | None = None,
    breaks: dict[str, list[str]] | None = None,
    **fields: Any,
) -> int:
    """Publish the builders' agreement with these policies; its version."""
    section = sla_section(*policies, holidays=holidays, **fields)
    section["calendars"][0]["breaks"] = breaks or {}
    source = json.dumps({**DEFAULT_SECTIONS, "routing": PAUSABLE, "sla": section})
    return publish(session, source, by="test", now=NOON).version


def handle_changes(session: Session, *steps: HandoffChanged, minute: float = 0) -> None:
    """Handle these changes as one batch, so many minutes after noon."""
    messages = [message(HANDOFFS_CHANGED, it) for it in steps]
    now = minutes_after_noon(minute)
    on_handoffs_changed(session, messages, now, policies=Policies(SlaPolicy))


def announced_changes(session: Session) -> list[SlaChanged]:
    """The changes of clocks that are in the outbox, in order."""
    rows = session.execute(
        select(outbox.c.key, outbox.c.value, outbox.c.headers)
        .where(outbox.c.topic == SLA_CHANGED.name)
        .order_by(outbox.c.id)
    )
    return [
        SLA_CHANGED.decode(
            Record(SLA_CHANGED.name, 0, 0, key, value, decoded_headers(headers))
        ).payload
        for key, value, headers in rows
    ]


def stored_clocks(session: Session) -> dict[str, Clock]:
    """The clocks in the database by policy and hop, such as `touch/1`."""
    clocks = all_clocks(session, ClockFilter(), Slice(limit=10_000)).clocks
    return {f"{it.policy}/{it.hop}": it for it in clocks}


def outcome_counts(session: Session) -> dict[str, int]:
    """How many clocks are counted by outcome: met, late, overdue, cancelled."""
    rows = session.execute(
        select(tallies.c.measure, func.sum(tallies.c.count))
        .where(tallies.c.measure.not_in(["business", "wall"]))
        .where(tallies.c.rep == EVERY, tallies.c.tier == EVERY)
        .group_by(tallies.c.measure)
        .having(func.sum(tallies.c.count) != 0)
    )
    return {measure: int(count) for measure, count in rows}


ACCEPT = policy("accept", kind="accept", target="15m")
TOUCH = policy("touch")
JOURNEY = policy("journey", scope="journey", anchor="qualified", target="2h")


def numbered(*steps: HandoffChanged, **more: Any) -> list[HandoffChanged]:
    """The changes with their sequence, from 1."""
    return [replace(it, sequence=n, **more) for n, it in enumerate(steps, start=1)]


def step(
    change: Change, after: float = 0, *, hop: int = 1, rep: str | None = "grace", **fields: Any
) -> HandoffChanged:
    """A change so many minutes after noon; at noon the lead qualified and was assigned."""
    fields.setdefault("assigned_at", None if rep is None else NOON)
    return handoff_changed(
        change, at=NOON + minutes(after), hop=hop, rep=rep, qualified_at=NOON, **fields
    )


def paused(
    at: float, longest: float = 10_000, *, reason: str = "later", **fields: Any
) -> HandoffChanged:
    """The change with which the rep pauses the handoff for so many minutes at most."""
    resumes_at = minutes_after_noon(at + longest)
    return step(Change.PAUSED, at, reason=reason, resumes_at=resumes_at, **fields)


def resumed(at: float, **fields: Any) -> HandoffChanged:
    """The change with which the rep resumes the handoff."""
    return step(Change.RESUMED, at, **fields)


def next_rep(after: float, *, rep: str = "linus", hop: int = 2, **fields: Any) -> HandoffChanged:
    """The change that gives the handoff to another rep."""
    assigned_at = NOON + minutes(after)
    return step(Change.REASSIGNED, after, hop=hop, rep=rep, assigned_at=assigned_at, **fields)


def derived_clocks(
    history: Sequence[HandoffChanged], *policies: dict[str, Any]
) -> dict[str, Clock]:
    """The clocks by policy and hop, such as `touch/1`."""
    versions = {number: SlaPolicy(number, agreement_with(*policies)) for number in (1, 2)}
    return {f"{it.policy}/{it.hop}": it for it in derive_clocks(history, versions)}


def ended(clock: Clock, state: State, minute: float, *, by: str) -> Clock:
    """The clock ended in that state, so many minutes after noon, all of them within working hours."""
    ended_at = minutes_after_noon(minute)
    return clock._replace(state=state, ended_at=ended_at, ended_by=by, spent=minutes(minute))


def minutes_after_noon(after: float) -> datetime:
    """The instant so many minutes after noon."""
    return NOON + minutes(after)


DUE_CLOCK = derived_clocks([step(Change.ASSIGNED)], TOUCH)["touch/1"]


def due(number: int, at: datetime = DUE_CLOCK.due_at) -> Clock:
    """A clock that is due at that instant, unlike all others by its number."""
    return DUE_CLOCK._replace(
        id=an_id(number),
        handoff_id=an_id(f"handoff {number}"),
        warn_at=at - minutes(12),
        due_at=at,
        escalation_steps=(),
    )


def store(sessions: Sessions, *stored: Clock) -> None:
    """Save the clocks and commit."""
    with sessions.begin() as session:
        save_clocks(session, stored)


def announced_breaches(sessions: Sessions) -> Counter[object]:
    """How many breaches the outbox has of each clock."""
    with sessions() as session:
        return Counter(
            it.clock_id for it in announced_changes(session) if it.change is ClockChange.BREACHED
        )
