"""One lead's whole story, told from the services' own records; and how to look further."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.demo.scene import Scene

Told = Mapping[str, Any]
TELL_EVENTS = 9
LOOK_AT = 12


@dataclass(frozen=True, slots=True)
class Story:
    """What the three APIs know about one lead whose rep was too late."""

    events: Sequence[Told]
    handoff: Told
    clock: Told


def summary(scene: Scene, console: Console) -> None:
    """The story of one lead, where to look, and what to try."""
    with httpx.Client(headers={"Authorization": f"Bearer {scene.keys['ops']}"}, timeout=10) as http:
        story = find_story(scene, http)
    if story is None:
        console.print("Nobody was too late yet, so there is no story to tell.")
    else:
        tell(story, console)
    where_to_look(scene, story, console)


def find_story(scene: Scene, http: httpx.Client) -> Story | None:
    """Of the newest breaches one that was answered at last, whose lead did most; None while there is no breach."""
    breaches = _get(http, f"{scene.sla}/v1/sla/breaches?state=all&scope=hop&limit={LOOK_AT}")
    stories = [_story(scene, http, breach) for breach in breaches["items"]]
    return max(stories, key=lambda it: (bool(it.clock["ended_at"]), len(it.events)), default=None)


def _story(scene: Scene, http: httpx.Client, breach: Told) -> Story:
    lead = f"{scene.scoring}/v1/leads/{breach['lead_id']}"
    return Story(
        events=_get(http, f"{lead}/events?limit=200")["items"],
        handoff=_get(http, f"{scene.routing}/v1/handoffs/{breach['handoff_id']}"),
        clock=_get(http, f"{scene.sla}/v1/sla/clocks/{breach['id']}/explain"),
    )


def _get(http: httpx.Client, url: str) -> Any:
    answer = http.get(url)
    answer.raise_for_status()
    return answer.json()


def tell(story: Story, console: Console) -> None:
    """The story in six steps, each from the record that the step left."""
    console.print()
    console.rule(Text.assemble(("One lead, all the way", "bold"), ", from its own records"))
    console.print(_who(story))
    for number, (title, body) in enumerate(_chapters(story), start=1):
        console.print(Text(f"\n{number}. {title}", style="bold cyan"))
        console.print(body)


def _chapters(story: Story) -> Iterator[tuple[str, Table | Text]]:
    handoff = story.handoff
    decision = handoff["decisions"][0]
    yield f"What they did: {len(story.events)} events, first and last", _events(story.events)
    yield _worth(handoff), _reasons(handoff["lead"]["reasons"])
    yield _why(decision), _candidates(decision)
    yield "Who was told, by signed webhook", _deliveries(handoff["deliveries"])
    yield f"The promise: {story.clock['policy']}", _clock(story.clock)
    yield "What became of it", _history(handoff["history"])


def _who(story: Story) -> Text:
    lead = story.handoff["lead"]
    traits = lead["traits"]
    about = (traits.get("job_title"), lead.get("company"), lead.get("email"))
    said = ", ".join(str(it) for it in about if it)
    return Text.assemble((lead.get("name") or "Somebody", "bold"), ", ", said)


def _events(events: Sequence[Told]) -> Table:
    """The first few and the last few: how they came, and what they wanted."""
    table = _grid("cyan", "", "dim")
    in_order = sorted(events, key=lambda it: it["time"])
    shown = in_order if len(events) <= TELL_EVENTS else [*in_order[:3], *in_order[-5:]]
    for number, event in enumerate(shown):
        if number == 3 and shown is not in_order:
            table.add_row("", f"… {len(events) - len(shown)} more …", "")
        table.add_row(_day(event["time"]), event["type"], _about(event.get("properties") or {}))
    return table


def _about(properties: Told) -> str:
    told = ("path", "form", "mailing", "webinar", "message", "plan")
    return next((str(properties[name]) for name in told if properties.get(name)), "")


def _worth(handoff: Told) -> str:
    scores = handoff["scores"]
    return (
        f"What it is worth: fit {scores['fit']:.0f}, engagement {scores['engagement']:.0f}, "
        f"grade {scores['grade']}; qualified by {handoff['cause']}, tier {handoff['tier']}"
    )


def _reasons(reasons: list[Told]) -> Table:
    table = _grid("green", "")
    for reason in reasons:
        table.add_row(f"{reason['points']:+.1f}", reason["label"])
    return table


def _why(decision: Told) -> str:
    picked = decision["picked"] or "nobody"
    return (
        f"Why {picked}: rule {decision['rule']} names team {decision['team']}, "
        f"picked by {decision['strategy']}, agreement version {decision['agreement_version']}"
    )


def _candidates(decision: Told) -> Table:
    table = _grid("", "", "dim")
    for it in decision["candidates"]:
        mark = "→" if it["rep"] == decision["picked"] else " "
        why_not = "; ".join(excluded["detail"] for excluded in it["excluded"])
        told = why_not or f"{_share(it['shortfall'])}, holds {it['open']}"
        table.add_row(mark, it["rep"], told)
    return table


def _share(shortfall: float) -> str:
    """How far from a fair share a rep was."""
    if shortfall < 0:
        return f"has {-shortfall:.2f} more than a fair share"
    return f"lacks {shortfall:.2f} to a fair share"


def _deliveries(deliveries: list[Told]) -> Table:
    table = _grid("cyan", "", "", "dim")
    for it in reversed(deliveries):
        tries = ", ".join(
            f"{one['status'] or one['detail']} in {one['took_ms']:.0f} ms" for one in it["attempts"]
        )
        table.add_row(
            _second(it["created_at"]), it["endpoint"], it["type"], f"{it['state']}: {tries}"
        )
    return table


def _clock(clock: Told) -> Table:
    table = _grid("cyan", "")
    target = (
        f"{clock['kind']} within {clock['target_s']:.0f} s of {clock['calendar']} ({clock['zone']})"
    )
    table.add_row(_second(clock["started_at"]), f"started: {target}, for {clock['rep']}")
    table.add_row(_second(clock["due_at"]), "due")
    late = _instant(clock["detected_at"]) - _instant(clock["breached_at"])
    found = f"breached; found {late.total_seconds() * 1000:.1f} ms later"
    table.add_row(_second(clock["breached_at"]), Text(found, style="bold red"))
    if clock["ended_at"]:
        table.add_row(_second(clock["ended_at"]), f"{clock['state']}: {clock['ended_by']} at last")
    return table


def _history(history: list[Told]) -> Table:
    table = _grid("cyan", "", "dim")
    for it in history:
        table.add_row(_second(it["occurred_at"]), it["change"], it["actor"])
    return table


def where_to_look(scene: Scene, story: Story | None, console: Console) -> None:
    """URLs, and three commands that work as they stand."""
    console.print()
    console.rule(Text("Look further", "bold"))
    for name, url in (("scoring", scene.scoring), ("routing", scene.routing), ("SLA", scene.sla)):
        console.print(f"{name:8} {url}/docs", highlight=False)
    console.print()
    ops = f'-H "Authorization: Bearer {scene.keys["ops"]}"'
    lead = f"/{story.handoff['lead_id']}" if story else "?email=somebody@example.com"
    for url in (
        f"{scene.scoring}/v1/leads{lead}",
        f"{scene.routing}/v1/handoffs?state=waiting",
        f"{scene.sla}/v1/sla/attainment?by=rep",
    ):
        console.print(f"curl -s {ops} '{url}'", highlight=False, soft_wrap=True)


def _grid(*styles: str) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=True)
    for style in styles:
        table.add_column(style=style)
    return table


def _instant(said: str) -> datetime:
    return datetime.fromisoformat(said)


def _day(said: str) -> str:
    return f"{_instant(said):%d %b %H:%M}"


def _second(said: str) -> str:
    return f"{_instant(said):%H:%M:%S}"
