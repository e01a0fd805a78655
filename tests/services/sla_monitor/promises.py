"""An agreement with every kind of promise, and handoffs that walk through it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.domain.histories import Terms, clocks_of
from shared.agreement.model import Agreement, Weekday
from shared.contracts.payloads import Change, HandoffChanged
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, handoff_changed, minutes

OFFICE = DEFAULT_SECTIONS["sla"]["calendars"][0]
ALWAYS = {
    "id": "always",
    "zone": "UTC",
    "hours": {day.value: ["00:00-24:00"] for day in Weekday},
}


def policy(id: str, **fields: Any) -> dict[str, Any]:
    """An hour to touch the lead, counted from each assignment, unless told otherwise."""
    usual = {"kind": "first_touch", "scope": "hop", "anchor": "assigned", "target": "1h"}
    return {"id": id, **usual, **fields}


def promising(*policies: dict[str, Any]) -> Agreement:
    """The builders' agreement with these policies, and two calendars."""
    return agreement(sla={"calendars": [OFFICE, ALWAYS], "policies": list(policies)})


ACCEPT = policy("accept", kind="accept", target="15m")
TOUCH = policy("touch")
JOURNEY = policy("journey", scope="journey", anchor="qualified", target="2h")


def walked(*steps: HandoffChanged, **more: Any) -> list[HandoffChanged]:
    """The steps, numbered."""
    return [it.model_copy(update={"sequence": n, **more}) for n, it in enumerate(steps, start=1)]


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


def derived(history: Sequence[HandoffChanged], *policies: dict[str, Any]) -> dict[str, Clock]:
    """The clocks by policy and hop, such as `touch/1`."""
    terms = {version: Terms(version, promising(*policies)) for version in (1, 2)}
    return {f"{it.policy}/{it.hop}": it for it in clocks_of(history, terms)}


def noon_and(after: float) -> datetime:
    """So many minutes after noon."""
    return NOON + minutes(after)
