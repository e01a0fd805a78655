"""The story of a lead: one row for each thing that happened, of what three APIs answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from services.console.apis import Gap
from services.console.formats import instant

Json = Mapping[str, Any]

STEPS = {
    "waiting": "Waits for a rep of {team}",
    "assigned": "Assigned to {rep}",
    "delivered": "{rep} was told",
    "accepted": "{rep} accepted",
    "rejected": "Handed back",
    "contacted": "{rep} reached out",
    "paused": "Paused",
    "resumed": "Resumed",
    "reassigned": "Taken from its rep",
    "returned": "Ended without an outcome",
    "won": "Won by {rep}",
    "lost": "Lost by {rep}",
}
"""What each change of a handoff is called."""

LADDER_OUTCOMES = {
    "reassigned": "another rep has it",
    "waiting": "it waits for another rep",
    "returned_to_pool": "it is in the pool",
    "unavailable": "the rep gets no leads for some time",
    "already_away": "nothing: another absence of the rep is recorded",
    "answered": "nothing: the rep had accepted it",
    "moved_on": "nothing: it had moved on",
}
"""What came of a step of a ladder; of no other it is known yet."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened: when, what, in a word its kind, and what opens at a click."""

    id: str
    at: str
    kind: str
    text: str
    state: str = ""
    """A state whose colour and shape the row has."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Named values; those that are empty are left out."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Addresses of further pages by what they show."""


@dataclass(frozen=True, slots=True)
class Handoff:
    """A handoff with its clocks, which may be missing."""

    details: Json
    clocks: Json | Gap


def story(
    lead: Json | Gap,
    events: Json | Gap,
    handoffs: list[Handoff],
    names: Mapping[str, str] = {},
) -> list[Row]:
    """The rows, oldest first; of one instant events come first, then what followed from them.

    `names` are those of reps by their ids.
    """
    rows: list[Row] = []
    if not isinstance(events, Gap):
        rows += [_event(it) for it in reversed(events["items"])]
    if not isinstance(lead, Gap):
        rows += [_stage(it, number) for number, it in enumerate(lead["steps"])]
    for handoff in reversed(handoffs):
        rows += _rows_of(handoff, names)
    return sorted(rows, key=_position)


def _position(row: Row) -> datetime:
    return instant(row.at)


def _event(event: Json) -> Row:
    points = {it["label"]: f"{it['points']:+g}" for it in event["points"]}
    page = event["context"].get("page")
    title = page.get("title") or page.get("path") if isinstance(page, dict) else None
    text = event["type"].replace("_", " ").capitalize()
    if title:
        text += f": {title}"
    if points:
        text += f" ({', '.join(f'{it} {label}' for label, it in points.items())})"
    return Row(
        id=f"event-{event['source']}-{event['id']}",
        at=event["time"],
        kind="event",
        text=text,
        facts={
            "source": event["source"],
            "id": event["id"],
            "received": event["received_at"],
            "marks": ", ".join(event["marks"]),
            **_flat("property", event["properties"]),
            **_flat("trait", event["traits"]),
            **_flat("context", event["context"]),
        },
    )


def _stage(step: Json, number: int) -> Row:
    return Row(
        id=f"stage-{number}",
        at=step["at"],
        kind="stage",
        text=f"Became {step['stage']}",
        state=step["stage"],
        facts={"cause": step["cause"]},
    )


def _rows_of(handoff: Handoff, names: Mapping[str, str]) -> Iterator[Row]:
    details = handoff.details
    yield _qualification(details)
    for number, step in enumerate(details["history"]):
        yield _step(details, step, number, names)
    for number, step in enumerate(details["escalations"]):
        yield _ladder_step(details, step, number, names)
    for delivery in details["deliveries"]:
        yield _delivery(details, delivery)
    if not isinstance(handoff.clocks, Gap):
        for clock in handoff.clocks["items"]:
            yield from _clock(clock, names)


def _qualification(details: Json) -> Row:
    scores = details["scores"]
    return Row(
        id=f"qualified-{details['id']}",
        at=details["qualified_at"],
        kind="qualification",
        text=f"Qualified as {details['tier']}, by {details['cause'].replace('_', ' ')}",
        state="qualified",
        facts={
            "fit": scores["fit"],
            "engagement": scores["engagement"],
            "grade": scores["grade"],
            **{it["label"]: f"{it['points']:+g}" for it in details["lead"].get("reasons", ())},
            "agreement": f"version {details['agreement_version']}",
        },
        links={"its handoff": f"/handoffs/{details['id']}"},
    )


def _step(details: Json, step: Json, number: int, names: Mapping[str, str]) -> Row:
    rep, change = names.get(step["rep"], step["rep"]) or "nobody", step["change"]
    text = STEPS[change].format(rep=rep, team=details["team"]) if change in STEPS else change
    if change == "reassigned" and step["rep"]:
        text = f"Taken from its rep, and given to {rep}"
    decisions = [it for it in details["decisions"] if it["hop"] == step["hop"]]
    is_choice = change in ("assigned", "reassigned") and step["rep"]
    return Row(
        id=f"step-{details['id']}-{number}",
        at=step["occurred_at"],
        kind="handoff",
        text=text,
        state=change,
        facts={
            "by": step["actor"],
            "hop": step["hop"],
            "reported": step["recorded_at"] if step["recorded_at"] != step["occurred_at"] else "",
            **step["details"],
            **(_choice(decisions[-1], names) if is_choice and decisions else {}),
        },
        links={"why this rep": f"/handoffs/{details['id']}/why"} if is_choice else {},
    )


def _choice(decision: Json, names: Mapping[str, str]) -> dict[str, Any]:
    """The rule by which a rep was picked, and why each other candidate was not."""
    excluded = {
        names.get(candidate["rep"], candidate["rep"]): ", ".join(
            it["detail"] or it["reason"] for it in candidate["excluded"]
        )
        for candidate in decision["candidates"]
        if candidate["excluded"]
    }
    return {"rule": decision["rule"], "strategy": decision["strategy"], **excluded}


def _ladder_step(details: Json, step: Json, number: int, names: Mapping[str, str]) -> Row:
    """A step of a ladder that was to take the handoff from its rep, when it was done, or else when it was due."""
    outcome = LADDER_OUTCOMES.get(step["outcome"], "pending")
    return Row(
        id=f"ladder-{details['id']}-{number}",
        at=step["done_at"] or step["due_at"],
        kind="ladder",
        text=f"Ladder: {step['step'].replace('_', ' ')}; {outcome}",
        state="breached",
        facts={
            "policy": step["policy"],
            "against": names.get(step["rep"], step["rep"]),
            "hop": step["hop"],
            "due": step["due_at"],
        },
        links={"its handoff": f"/handoffs/{details['id']}"},
    )


def _delivery(details: Json, delivery: Json) -> Row:
    count = delivery["attempt_count"]
    tries = "1 attempt" if count == 1 else f"{count} attempts"
    return Row(
        id=f"delivery-{delivery['id']}",
        at=delivery["created_at"],
        kind="delivery",
        text=f"{delivery['type']} to {delivery['endpoint']}: {delivery['state']}, {tries}",
        state=delivery["state"],
        facts={
            "webhook id": delivery["id"],
            **{f"attempt {it['number']}": _attempt(it) for it in delivery["attempts"]},
        },
        links={"its handoff": f"/handoffs/{details['id']}"},
    )


def _attempt(attempt: Json) -> str:
    status = attempt["status"] or "no response"
    return f"{status} after {attempt['took_ms']:.0f} ms: {attempt['detail']}"


def _clock(clock: Json, names: Mapping[str, str]) -> Iterator[Row]:
    promise = clock["kind"].replace("_", " ")
    facts = {
        "policy": clock["policy"],
        "scope": clock["scope"],
        "team": clock["team"],
        "rep": names.get(clock["rep"], clock["rep"]),
        "due": clock["due_at"],
        "target": clock["target_s"],
    }
    links = {"how it was counted": f"/sla/clocks/{clock['id']}"}
    yield Row(
        f"clock-{clock['id']}", clock["started_at"], "promise", f"Promised: {promise}",
        "running", facts, links,
    )  # fmt: skip
    if clock["breached_at"] is not None:
        yield Row(
            f"breach-{clock['id']}", clock["breached_at"], "promise", f"Broken: {promise}",
            "breached", facts, links,
        )  # fmt: skip
    if clock["ended_at"] is not None:
        yield Row(
            f"ended-{clock['id']}", clock["ended_at"], "promise", f"{promise.capitalize()}: {clock['outcome']}",
            "met" if clock["breached_at"] is None else "late", facts, links,
        )  # fmt: skip


def _flat(name: str, values: Json) -> dict[str, Any]:
    """The values, one level deep, each under the name and its own."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        inner = value.items() if isinstance(value, dict) else ((None, value),)
        flat |= {
            f"{name} {key}" + (f".{inner_key}" if inner_key else ""): _text(it)
            for inner_key, it in inner
        }
    return flat


def _text(value: object) -> object:
    """The value as it is shown: lists and objects as JSON."""
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value
