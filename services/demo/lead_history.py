"""Prints the history of one lead from the APIs, and URLs and commands to go on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.demo.setup import Access

Json = Mapping[str, Any]
MAX_EVENTS = 9
MAX_BREACHES = 12


@dataclass(frozen=True, slots=True)
class LeadHistory:
    """What the three APIs hold of one lead whose rep was too late."""

    events: Sequence[Json]
    handoff: Json
    clock: Json


def print_lead(access: Access, console: Console) -> LeadHistory | None:
    """Print the history of one lead whose rep was too late, and return it, if there is one."""
    with httpx.Client(
        headers={"Authorization": f"Bearer {access.keys['ops']}"}, timeout=10
    ) as http:
        history = find_lead_history(access, http)
    if history is None:
        console.print("No clock is breached yet, so there is no history to show.")
    else:
        print_history(history, console)
    return history


def find_lead_history(access: Access, http: httpx.Client) -> LeadHistory | None:
    """The history of a recent breach: preferably answered at last, with most events; None while there is no breach."""
    breaches = _get(http, f"{access.sla}/v1/sla/breaches?state=all&scope=hop&limit={MAX_BREACHES}")
    histories = [_lead_history(access, http, breach) for breach in breaches["items"]]
    return max(histories, key=lambda it: (bool(it.clock["ended_at"]), len(it.events)), default=None)


def _lead_history(access: Access, http: httpx.Client, breach: Json) -> LeadHistory:
    lead = f"{access.scoring}/v1/leads/{breach['lead_id']}"
    return LeadHistory(
        events=_get(http, f"{lead}/events?limit=200")["items"],
        handoff=_get(http, f"{access.routing}/v1/handoffs/{breach['handoff_id']}"),
        clock=_get(http, f"{access.sla}/v1/sla/clocks/{breach['id']}/explain"),
    )


def _get(http: httpx.Client, url: str) -> Any:
    answer = http.get(url)
    answer.raise_for_status()
    return answer.json()


def print_history(history: LeadHistory, console: Console) -> None:
    """Print the history in six sections."""
    console.print()
    console.rule(Text.assemble(("One lead, all the way", "bold"), ", from its own records"))
    console.print(_person(history))
    for number, (title, body) in enumerate(_sections(history), start=1):
        console.print(Text(f"\n{number}. {title}", style="bold cyan"))
        console.print(body)


def _sections(history: LeadHistory) -> Iterator[tuple[str, Table | Text]]:
    handoff = history.handoff
    decision = handoff["decisions"][0]
    yield f"What they did: {len(history.events)} events, first and last", _events(history.events)
    yield _scores(handoff), _reasons(handoff["lead"]["reasons"])
    yield _decision(decision), _candidates(decision)
    yield "Notifications, by signed webhook", _deliveries(handoff["deliveries"])
    yield f"The promise: {history.clock['policy']}", _clock(history.clock)
    yield "What became of it", _changes(handoff["history"])


def _person(history: LeadHistory) -> Text:
    lead = history.handoff["lead"]
    traits = lead["traits"]
    about = (traits.get("job_title"), lead.get("company"), lead.get("email"))
    details = ", ".join(str(it) for it in about if it)
    return Text.assemble((lead.get("name") or "A lead without a name", "bold"), ", ", details)


def _events(events: Sequence[Json]) -> Table:
    """The first few and the last few events."""
    table = _grid("cyan", "", "dim")
    in_order = sorted(events, key=lambda it: it["time"])
    listed = in_order if len(events) <= MAX_EVENTS else [*in_order[:3], *in_order[-5:]]
    for number, event in enumerate(listed):
        if number == 3 and listed is not in_order:
            table.add_row("", f"… {len(events) - len(listed)} more …", "")
        table.add_row(_day(event["time"]), event["type"], _detail(event.get("properties") or {}))
    return table


def _detail(properties: Json) -> str:
    names = ("path", "form", "mailing", "webinar", "message", "plan")
    return next((str(properties[name]) for name in names if properties.get(name)), "")


def _scores(handoff: Json) -> str:
    scores = handoff["scores"]
    return (
        f"What it is worth: fit {scores['fit']:.0f}, engagement {scores['engagement']:.0f}, "
        f"grade {scores['grade']}; qualified by {handoff['cause']}, tier {handoff['tier']}"
    )


def _reasons(reasons: list[Json]) -> Table:
    table = _grid("green", "")
    for reason in reasons:
        table.add_row(f"{reason['points']:+.1f}", reason["label"])
    return table


def _decision(decision: Json) -> str:
    picked = decision["picked"] or "nobody"
    return (
        f"Why {picked}: rule {decision['rule']} names team {decision['team']}, "
        f"picked by {decision['strategy']}, agreement version {decision['agreement_version']}"
    )


def _candidates(decision: Json) -> Table:
    table = _grid("", "", "dim")
    for candidate in decision["candidates"]:
        mark = "→" if candidate["rep"] == decision["picked"] else " "
        exclusions = "; ".join(exclusion["detail"] for exclusion in candidate["excluded"])
        table.add_row(mark, candidate["rep"], exclusions or _load(candidate))
    return table


def _load(candidate: Json) -> str:
    """How far the candidate was from a fair share, and how many handoffs they held."""
    shortfall = candidate["shortfall"]
    if shortfall < 0:
        share = f"has {-shortfall:.2f} more than a fair share"
    else:
        share = f"lacks {shortfall:.2f} to a fair share"
    return f"{share}, holds {candidate['open']}"


def _deliveries(deliveries: list[Json]) -> Table:
    table = _grid("cyan", "", "", "dim")
    for delivery in reversed(deliveries):
        attempts = ", ".join(
            f"{it['status'] or it['detail']} in {it['took_ms']:.0f} ms"
            for it in delivery["attempts"]
        )
        table.add_row(
            _second(delivery["created_at"]),
            delivery["endpoint"],
            delivery["type"],
            f"{delivery['state']}: {attempts}",
        )
    return table


def _clock(clock: Json) -> Table:
    table = _grid("cyan", "")
    target = (
        f"{clock['kind']} within {clock['target_s']:.0f} s of {clock['calendar']} ({clock['zone']})"
    )
    table.add_row(_second(clock["started_at"]), f"started: {target}, for {clock['rep']}")
    table.add_row(_second(clock["due_at"]), "due")
    late = _instant(clock["detected_at"]) - _instant(clock["breached_at"])
    breach = f"breached; detected {late.total_seconds() * 1000:.1f} ms later"
    table.add_row(_second(clock["breached_at"]), Text(breach, style="bold red"))
    if clock["ended_at"]:
        table.add_row(_second(clock["ended_at"]), f"{clock['state']}: {clock['ended_by']} at last")
    return table


def _changes(changes: list[Json]) -> Table:
    table = _grid("cyan", "", "dim")
    for change in changes:
        table.add_row(_second(change["occurred_at"]), change["change"], change["actor"])
    return table


def where_to_look(access: Access, history: LeadHistory | None, console: Console) -> None:
    """Print URLs, and commands that can be run as they are."""
    console.print()
    console.rule(Text("Look further", "bold"))
    console.print(f"console   {access.console_link()}", highlight=False, soft_wrap=True)
    for name, url in (
        ("scoring", access.scoring),
        ("routing", access.routing),
        ("SLA", access.sla),
        ("alignment", access.alignment),
    ):
        console.print(f"{name:9} {url}/docs", highlight=False)
    console.print()
    ops = f'-H "Authorization: Bearer {access.keys["ops"]}"'
    lead = f"/{history.handoff['lead_id']}" if history else "?email=somebody@example.com"
    for url in (
        f"{access.scoring}/v1/leads{lead}",
        f"{access.routing}/v1/handoffs?state=waiting",
        f"{access.sla}/v1/sla/attainment?by=rep",
        f"{access.alignment}/v1/alignment?by=campaign",
    ):
        console.print(f"curl -s {ops} '{url}'", highlight=False, soft_wrap=True)


def _grid(*styles: str) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=True)
    for style in styles:
        table.add_column(style=style)
    return table


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _day(text: str) -> str:
    return f"{_instant(text):%d %b %H:%M}"


def _second(text: str) -> str:
    return f"{_instant(text):%H:%M:%S}"
