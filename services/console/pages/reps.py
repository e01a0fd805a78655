"""The page Reps: what each holds, whether they work now, their time off and their share of the leads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.console.apis import Apis, Gap, Refusal, Service
from services.console.pages.page import (
    HANDOFF_CHANGES,
    Act,
    Export,
    Outcome,
    Page,
    Source,
    View,
    address,
)

PATH = "/reps"
MAX_SHOWN = 200
"""How many reps the page shows; the filters find the others."""


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The reps whom the filters leave, by team."""
    parts = await apis.parts(reps=apis.get(Service.ROUTING, "/v1/reps"))
    everybody = [] if isinstance(parts["reps"], Gap) else parts["reps"]["items"]
    matching = [it for it in everybody if _matches(it, view.query)]
    teams: dict[str, list[Any]] = {}
    for rep in matching[:MAX_SHOWN]:
        teams.setdefault(rep["team"], []).append(rep)
    return {
        **parts,
        "teams": teams,
        "team_names": sorted({it["team"] for it in everybody}),
        "left_out": max(0, len(matching) - MAX_SHOWN),
        "query": urlencode(view.query),
    }


def _matches(rep: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Whether the filters leave the rep; inactive reps are shown where the URL says so."""
    text = query.get("name", "").strip().lower()
    return (
        query.get("team", "") in ("", rep["team"])
        and (rep["active"] or "inactive" in query)
        and (text in rep["name"].lower() or text in rep["id"])
    )


async def away(apis: Apis, view: View, fields: Mapping[str, str]) -> Outcome:
    """Let a rep get no leads from now on, until a date or until they are back."""
    id = view.values["id"]
    until = _midnight(fields.get("until", ""), fields.get("zone", ""))
    body = {} if until is None else {"until": until.isoformat()}
    rep = await apis.post(Service.ROUTING, f"/v1/reps/{quote(id)}/away", body)
    end = "until they are back" if until is None else f"until {until:%Y-%m-%d}"
    return Outcome(address(PATH, view.query), f"{rep['name']} gets no leads {end}.")


async def back(apis: Apis, view: View, _: Mapping[str, str]) -> Outcome:
    """End a rep's absence."""
    id = view.values["id"]
    rep = await apis.post(Service.ROUTING, f"/v1/reps/{quote(id)}/back")
    text = f"{rep['name']} is back: leads that wait are assigned."
    if rep["time_off"] and datetime.fromisoformat(rep["time_off"][0]["since"]) <= view.now:
        text = f"{rep['name']} is still on time off by the file of reps."
    return Outcome(address(PATH, view.query), text)


async def deactivate(apis: Apis, view: View, fields: Mapping[str, str]) -> Outcome:
    """Let a rep get no leads any more, and show the plan for what they hold."""
    id = view.values["id"]
    rep = await apis.post(Service.ROUTING, f"/v1/reps/{quote(id)}/deactivate")
    text = f"{rep['name']} is inactive: take them out of the file of reps, too."
    if not rep["holds"]:
        return Outcome(address(PATH, {**view.query, "inactive": "1"}), text)
    reason = fields.get("reason", "").strip() or "has left"
    reroute = await apis.post(Service.ROUTING, "/v1/reroutes", {"rep": id, "reason": reason})
    return Outcome(f"/reroutes/{reroute['id']}", f"{text} Nothing that they hold has moved yet.")


def _midnight(day: str, zone: str) -> datetime | None:
    """The beginning of the day in the viewer's zone; None without a day."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time(), ZoneInfo(zone or "UTC"))
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise Refusal(422, "invalid_request", "write a date such as 2026-12-01") from None


PAGE = Page(
    path=PATH,
    title="Reps",
    template="reps.html",
    load=load,
    streams=(HANDOFF_CHANGES,),
    key="r",
)
ACTS = (
    Act(f"{PATH}/{{id}}/away", away, back=PATH),
    Act(f"{PATH}/{{id}}/back", back, back=PATH),
    Act(f"{PATH}/{{id}}/deactivate", deactivate, back=PATH),
)
EXPORT = Export(f"{PATH}.csv", lambda _: Source(Service.ROUTING, "/v1/reps", {}))
