"""What a chat shows of a notification: a title, facts, links. Slack and Teams show the same, each in its own way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from services.routing.domain import notifications
from shared.contracts.card_lines import lines_of_answers, lines_of_facts
from shared.contracts.codec import Codec
from shared.contracts.payloads import LeadCard

MAX_DUE = 5
"""How many promises a message shows, the nearest."""
MAX_ANSWERS = 4
MAX_ANSWER = 400
"""How many answers in forms a message shows, and how many characters of each; the answer page shows more."""
MAX_LABEL = 80

MESSAGE = "message"
"""The field in which most forms ask what somebody wants."""

Json = Mapping[str, Any]

_card_codec = Codec(LeadCard)

_UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class Fact(NamedTuple):
    """A labelled text, or a labelled instant, which the chat shows in the zone of its reader."""

    label: str
    text: str = ""
    at: datetime | None = None


class Link(NamedTuple):
    """Something to open."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A notification for people; its texts are one line each."""

    title: str
    facts: tuple[Fact, ...] = ()
    links: tuple[Link, ...] = ()

    def shortened(self, limit: int) -> ChatMessage:
        """The message with no text longer than so many characters."""
        facts = tuple(
            it._replace(
                label=shortened(it.label, min(limit, MAX_LABEL)), text=shortened(it.text, limit)
            )
            for it in self.facts
        )
        return replace(self, title=shortened(self.title, limit), facts=facts)


def shortened(text: str, limit: int) -> str:
    """The text, or its beginning with an ellipsis, in so many characters as JavaScript counts them (UTF-16)."""
    if utf16_size(text) <= limit:
        return text
    encoded = text.encode("utf-16-le")[: 2 * (limit - 1)]
    return encoded.decode("utf-16-le", "ignore") + "\N{HORIZONTAL ELLIPSIS}"


def utf16_size(text: str) -> int:
    """How many characters JavaScript counts."""
    return len(text.encode("utf-16-le")) // 2


def message_of(body: bytes) -> ChatMessage:
    """The message of a notification."""
    notification = orjson.loads(body)
    type_, data = notification["type"], notification["data"]
    read = _READERS.get(type_)
    title = _TITLES.get(type_) or words_of(type_)
    subject = data["endpoint"] if type_ == notifications.TESTED else _subject_of(data)
    facts = (_breached if read is None else read)(data)
    return ChatMessage(_line(f"{title}: {subject}"), tuple(_clean(facts)), tuple(_links(data)))


def _subject_of(data: Json) -> str:
    """The campaign that the notification is about, or else the lead."""
    return str(data["outcome"]["campaign"]) if "outcome" in data else _lead_of(data)


def _lead_of(data: Json) -> str:
    lead = data.get("lead") or {}
    name = lead.get("name") or lead.get("email") or "a lead"
    company = lead.get("company")
    return f"{name}, {company}" if company else str(name)


def _assigned(data: Json) -> Iterator[Fact]:
    lead, handoff = data["lead"], data["handoff"]
    why = lead.get("why_now") or {}
    yield Fact("Why now", str(why.get("title") or words_of(why.get("type") or handoff["cause"])))
    lead_card = _card_codec.convert(lead.get("lead_card") or {})
    if all(it.field != MESSAGE for it in lead_card.form_answers):
        yield Fact("Message", str((why.get("properties") or {}).get(MESSAGE) or ""))
    for line in lines_of_answers(lead_card)[:MAX_ANSWERS]:
        yield Fact(line.label, shortened(_line(line.text), MAX_ANSWER))
    for due in sorted(data["due"], key=lambda it: _instant(it["due_at"]))[:MAX_DUE]:
        yield Fact(f"{words_of(due['kind'])} by", at=_instant(due["due_at"]))
    yield Fact("E-mail", lead.get("email") or "")
    yield Fact("Phone", lead.get("phone") or "")
    yield Fact("Tier", f"{handoff['tier']}, grade {data['scores']['grade']}")
    yield Fact("Reasons", "; ".join(it["label"] for it in lead.get("reasons", ())))
    yield from (Fact(*line) for line in lines_of_facts(lead_card))


def _withdrawn(data: Json) -> Iterator[Fact]:
    withdrawal = data["withdrawn"]
    yield Fact("Reason", words_of(withdrawal["reason"]))
    yield Fact("Now", f"with {withdrawal['rep']}" if withdrawal["rep"] else withdrawal["state"])


def _breached(data: Json) -> Iterator[Fact]:
    """Also of a promise at risk, and of types that this module does not know."""
    breach = data.get("breach") or data.get("promise") or {}
    yield Fact("Promise", words_of(breach.get("policy") or ""))
    if breach.get("due_at"):
        yield Fact("Due", at=_instant(breach["due_at"]))
    yield Fact("Team", breach.get("team") or "")
    yield Fact("Rep", breach.get("rep") or "")
    yield Fact("Now", words_of(breach.get("outcome") or ""))


def _undelivered(data: Json) -> Iterator[Fact]:
    yield Fact("Endpoint", data["undelivered"]["endpoint"])
    yield Fact("Notification", data["undelivered"]["type"])


def _outcome(data: Json) -> Iterator[Fact]:
    outcome = data["outcome"]
    reasons = (
        f"{words_of(it['reason'] or 'no reason')} {it['count']}" for it in outcome["rejections"]
    )
    revenue = (f"{it['amount']:,.2f} {it['currency']}" for it in outcome["revenue"])
    yield Fact("Day", outcome["day"])
    for name in ("qualified", "accepted", "rejected", "contacted", "won"):
        yield Fact(words_of(name), str(outcome[name]))
    yield Fact("Rejected for", "; ".join(reasons))
    yield Fact("Revenue", "; ".join(revenue))


def _tested(data: Json) -> Iterator[Fact]:
    yield Fact("Sent by", data["actor"])


_READERS: Mapping[str, Callable[[Json], Iterator[Fact]]] = {
    notifications.ASSIGNED: _assigned,
    notifications.WITHDRAWN: _withdrawn,
    notifications.AT_RISK: _breached,
    notifications.BREACHED: _breached,
    notifications.UNDELIVERED: _undelivered,
    notifications.DISABLED: _undelivered,
    notifications.TESTED: _tested,
    notifications.OUTCOME: _outcome,
}
_TITLES = {
    notifications.ASSIGNED: "New lead",
    notifications.WITHDRAWN: "No longer yours",
    notifications.AT_RISK: "At risk",
    notifications.BREACHED: "Promise broken",
    notifications.UNDELIVERED: "Not delivered",
    notifications.DISABLED: "An endpoint is disabled, after the message on",
    notifications.TESTED: "A test of endpoint",
    notifications.OUTCOME: "Leads of campaign",
}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _links(data: Json) -> Iterator[Link]:
    links = data.get("links") or {}
    answer = links.get("answer")
    if answer and (data.get("handoff") or {}).get("state") == "won":
        yield Link("Answer", f"{answer}#contacted")
    elif answer:
        yield Link("Accept", f"{answer}#accepted")
        yield Link("Contacted", f"{answer}#contacted")
        yield Link("Hand back", f"{answer}#rejected")
    if console := links.get("console"):
        yield Link("Open in the console", console)


def _clean(facts: Iterator[Fact]) -> Iterator[Fact]:
    """The facts that say something, each as one line."""
    for fact in facts:
        cleaned = fact._replace(label=_line(fact.label), text=_line(fact.text))
        if cleaned.text or cleaned.at:
            yield cleaned


def _line(text: str) -> str:
    """The text without line breaks, control characters and marks that turn the direction of writing."""
    return " ".join(_UNPRINTED.sub(" ", text).split())


def words_of(id: str) -> str:
    """An id as words: `handoff.at_risk` is `Handoff at risk`."""
    return id.replace("_", " ").replace(".", " ").capitalize()
