"""Messages for incoming webhooks of Slack: sections of mrkdwn with links, as buttons would need an app."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from services.routing.domain.formats.message import (
    ChatMessage,
    Fact,
    Link,
    message_of,
    utf16_size,
)

MAX_BLOCKS: Final = 50
MAX_SECTION: Final = 3_000
"""Characters of the text of one section."""
MAX_MESSAGE: Final = 12_000
"""Characters of all texts together."""
_LIMITS = (1_500, 500, 150, 40, 12)
"""Texts are shortened to the first of these lengths with which the message is within Slack's limits."""
_FALLBACK = 150
"""Characters of the text that notifications show."""
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def encode(body: bytes) -> bytes:
    """The message of a notification as JSON. Names of leads are text in it: they mention nobody and link nowhere."""
    message = message_of(body)
    candidates = (list(_blocks(message.shortened(it))) for it in _LIMITS)
    blocks = next(filter(is_within_limits, candidates))
    fallback = escaped(message.shortened(_FALLBACK).title)
    return orjson.dumps(
        {"text": fallback, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}
    )


def is_within_limits(blocks: list[dict[str, Any]]) -> bool:
    """Whether Slack takes the blocks."""
    sizes = [utf16_size(it["text"]["text"]) for it in blocks]
    return len(blocks) <= MAX_BLOCKS and max(sizes) <= MAX_SECTION and sum(sizes) <= MAX_MESSAGE


def _blocks(message: ChatMessage) -> Iterator[dict[str, Any]]:
    yield _section(f"*{escaped(message.title)}*")
    yield from _sections(map(_line, message.facts), "\n")
    yield from _sections(map(_link, message.links), " \N{MIDDLE DOT} ")


def _sections(parts: Iterable[str], separator: str) -> Iterator[dict[str, Any]]:
    """As few sections as hold these parts; no part is cut."""
    text = ""
    for part in parts:
        joined = f"{text}{separator}{part}" if text else part
        if text and utf16_size(joined) > MAX_SECTION:
            yield _section(text)
            joined = part
        text = joined
    if text:
        yield _section(text)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _line(fact: Fact) -> str:
    """The label with its text, or with its instant, which Slack shows in the zone of its reader."""
    label = f"*{escaped(fact.label)}:*"
    if fact.at is None:
        return f"{label} {escaped(fact.text)}"
    second, fallback = int(fact.at.timestamp()), f"{fact.at:%Y-%m-%d %H:%M} UTC"
    return f"{label} <!date^{second}^{{date_short_pretty}} {{time}}|{fallback}>"


def _link(link: Link) -> str:
    return f"<{escaped(link.url).replace('|', '%7C')}|{escaped(link.label)}>"


def escaped(text: str) -> str:
    """The text, in which nothing is a mention or a link."""
    return text.translate(_ESCAPES)
