"""An agreement with every kind of promise, and handoffs that walk through it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.domain.histories import Terms, clocks_of
from services.sla_monitor.handlers import on_handoffs_changed
from services.sla_monitor.queries.clocks import EVERY
from services.sla_monitor.queries.reports import Slice, Which, all_clocks
from services.sla_monitor.tables import tallies
from shared.agreement.model import Agreement, Weekday
from shared.agreement.store import Agreements, publish
from shared.contracts.payloads import Change, HandoffChanged, SlaChanged
from shared.contracts.topic import Record
from shared.contracts.topics import HANDOFFS_CHANGED, SLA_CHANGED
from shared.db.tables import outbox
from shared.messaging.outbox import read
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, handoff_changed, message, minutes

OFFICE_CALENDAR = DEFAULT_SECTIONS["sla"]["calendars"][0]
ALWAYS = {
    "id": "always",
    "zone": "UTC",
    "hours": {day.value: ["00:00-24:00"] for day in Weekday},
}


def policy(id: str, **fields: Any) -> dict[str, Any]:
    """An hour to touch the lead, counted from each assignment, unless told otherwise."""
    usual = {"kind": "first_touch", "scope": "hop", "anchor": "assigned", "target": "1h"}
    return {"id": id, **usual, **fields}


def agreement_with(*policies: dict[str, Any]) -> Agreement:
    """The builders' agreement with these policies, and two calendars."""
    return agreement(sla=sla_section(*policies))


def sla_section(*policies: dict[str, Any], holidays: str | None = None) -> dict[str, Any]:
    """The section `sla` of an agreement."""
    office = {**OFFICE_CALENDAR, "holidays": holidays}
    return {"calendars": [office, ALWAYS], "policies": list(policies)}


def publish_policies(
    session: Session, *policies: dict[str, Any], holidays: str | None = None
) -> int:
    """Publish the builders' agreement with these policies; its version."""
    source = json.dumps({**DEFAULT_SECTIONS, "sla": sla_section(*policies, holidays=holidays)})
    return publish(session, source, by="test", now=NOON).version


def handle_changes(session: Session, *steps: HandoffChanged, minute: float = 0) -> None:
    """The handler gets the steps, so many minutes after noon."""
    arrived = [message(HANDOFFS_CHANGED, it) for it in steps]
    on_handoffs_changed(session, arrived, minutes_after_noon(minute), agreements=Agreements())


def announced_changes(session: Session) -> list[SlaChanged]:
    """What lies in the outbox about clocks, in order."""
    rows = session.execute(
        select(outbox.c.key, outbox.c.value, outbox.c.headers)
        .where(outbox.c.topic == SLA_CHANGED.name)
        .order_by(outbox.c.id)
    )
    return [
        SLA_CHANGED.decode(Record(SLA_CHANGED.name, 0, 0, key, value, read(headers))).payload
        for key, value, headers in rows
    ]


def stored_clocks(session: Session) -> dict[str, Clock]:
    """The clocks in the database by policy and hop, such as `touch/1`."""
    found = all_clocks(session, Which(), Slice(limit=10_000), state=None)
    return {f"{it.policy}/{it.hop}": it for it in found}


def outcome_counts(session: Session) -> dict[str, int]:
    """How many clocks count as what."""
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
    """The steps, numbered."""
    return [replace(it, sequence=n, **more) for n, it in enumerate(steps, start=1)]


def step(
    change: Change, after: float = 0, *, hop: int = 1, rep: str | None = "grace", **fields: Any
) -> HandoffChanged:
    """A step so many minutes after noon, when the lead qualified and its first rep got it."""
    fields.setdefault("assigned_at", None if rep is None else NOON)
    return handoff_changed(
        change, at=NOON + minutes(after), hop=hop, rep=rep, qualified_at=NOON, **fields
    )


def next_rep(after: float, *, rep: str = "linus", hop: int = 2, **fields: Any) -> HandoffChanged:
    """The handoff goes to another rep."""
    given_at = NOON + minutes(after)
    return step(Change.REASSIGNED, after, hop=hop, rep=rep, assigned_at=given_at, **fields)


def derived_clocks(
    history: Sequence[HandoffChanged], *policies: dict[str, Any]
) -> dict[str, Clock]:
    """The clocks by policy and hop, such as `touch/1`."""
    pinned = {version: Terms(version, agreement_with(*policies)) for version in (1, 2)}
    return {f"{it.policy}/{it.hop}": it for it in clocks_of(history, pinned)}


def minutes_after_noon(after: float) -> datetime:
    """So many minutes after noon."""
    return NOON + minutes(after)
