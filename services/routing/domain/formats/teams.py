"""Adaptive cards for workflows of Microsoft Teams that post what a webhook receives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from services.routing.domain.formats.message import ChatMessage, Fact, message_of

MAX_BYTES: Final = 28_000
"""Of the whole request; Teams takes 28 KB."""
_LIMITS = (1_500, 500, 150, 40, 12)
"""Texts are shortened to the first of these lengths with which the request is small enough."""
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"


def encode(body: bytes) -> bytes:
    """The card of a notification as JSON.

    Names of leads are in text runs, which Teams does not read as Markdown: they cannot become links.
    """
    message = message_of(body)
    candidates = (orjson.dumps(_request(message.shortened(it))) for it in _LIMITS)
    return next(it for it in candidates if len(it) <= MAX_BYTES)


def _request(message: ChatMessage) -> dict[str, Any]:
    content = {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": message.title,
        "msteams": {"width": "Full"},
        "body": list(_elements(message)),
        "actions": [
            {"type": "Action.OpenUrl", "title": it.label, "url": it.url} for it in message.links
        ],
    }
    attachment = {"contentType": CONTENT_TYPE, "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [attachment]}


def _elements(message: ChatMessage) -> Iterator[dict[str, Any]]:
    yield _runs(_run(message.title, weight="Bolder", size="Large"))
    for fact in message.facts:
        if fact.at is None:
            yield _runs(_run(f"{fact.label}  ", isSubtle=True), _run(fact.text))
        else:
            yield {"type": "TextBlock", "wrap": True, "spacing": "Small", "text": _instant(fact)}


def _runs(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "spacing": "Small", "inlines": list(runs)}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}


def _instant(fact: Fact) -> str:
    """A text with an instant that Teams shows in the zone of its reader; its label is made of ids, without Markdown."""
    second = f"{fact.at:%Y-%m-%dT%H:%M:%SZ}"
    return f"{fact.label} **{{{{DATE({second}, SHORT)}}}} {{{{TIME({second})}}}}**"
