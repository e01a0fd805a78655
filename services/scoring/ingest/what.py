"""What happened: names as the agreement writes them, the page, the campaign, and whether a bot did it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shared.text import storable

CAMPAIGN = {
    "utm_campaign": "name",
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_term": "term",
    "utm_content": "content",
    "utm_id": "id",
}
"""A URL's parameters, and how Segment's `context.campaign` calls them."""

_BOT = re.compile(
    r"(?<!cu)bot(?:\b|_)|crawl|spider|slurp|headless|phantomjs|lighthouse|pingdom|facebookexternalhit"
    r"|preview|scanner|uptime|mediapartners|bingpreview|embedly|barracuda|proofpoint|mimecast",
    re.IGNORECASE,
)
"""Crawlers, link checkers of mail filters, page testers: they say so themselves."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER = re.compile(r"[^\w.]+")


@lru_cache(maxsize=4_000)
def name_of(said: str) -> str:
    """`Demo Requested` and `demoRequested` are `demo_requested`."""
    return _OTHER.sub("_", _CAMEL.sub("_", said.strip())).strip("_").lower()[:100]


def named(traits: Mapping[str, Any]) -> dict[str, Any]:
    """The traits under the agreement's names; one that has its name already wins."""
    renamed = {name_of(name) or name: value for name, value in traits.items()}
    return {**renamed, **{name: value for name, value in traits.items() if name in renamed}}


def placed(properties: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with the page's url, path and title, where the event does not say its own."""
    page = context.get("page")
    told = page if isinstance(page, dict) else {}
    place = {name: told[name] for name in ("url", "path", "title") if told.get(name)}
    place |= {name: value for name, value in properties.items() if value is not None}
    if "path" not in place and isinstance(url := place.get("url"), str):
        place["path"] = _split(url)[0] or "/"
    return place


def campaigned(context: dict[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The context with its campaign: what it says itself, and what the page's URL says."""
    url = properties.get("url")
    from_url = _campaign(url) if isinstance(url, str) and "utm_" in url else {}
    said = context.get("campaign")
    if not from_url or not isinstance(said, dict | None):
        return context
    return {**context, "campaign": {**from_url, **(said or {})}}


def by_bot(context: Mapping[str, Any]) -> bool:
    """Whether the user agent says that it is nobody."""
    agent = context.get("userAgent") or context.get("user_agent")
    return isinstance(agent, str) and _is_bot(agent)


@lru_cache(maxsize=4_000)
def _is_bot(agent: str) -> bool:
    return _BOT.search(agent) is not None


@lru_cache(maxsize=4_000)
def _campaign(url: str) -> Mapping[str, str]:
    found = dict(parse_qsl(_split(url)[1], max_num_fields=None))
    return {ours: storable(found[name]) for name, ours in CAMPAIGN.items() if name in found}


@lru_cache(maxsize=4_000)
def _split(url: str) -> tuple[str, str]:
    """Path and query; nothing for what is no URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.path, parts.query
