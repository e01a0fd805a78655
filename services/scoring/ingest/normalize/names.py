"""Names as the agreement writes them, an event's page and campaign, and whether a bot sent it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from shared.agreement.event_types import snake_case
from shared.text import one_line, storable

CAMPAIGN = {
    "utm_campaign": "name",
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_term": "term",
    "utm_content": "content",
    "utm_id": "id",
}
"""A URL's parameters, and their names in Segment's `context.campaign`."""

_BOT = re.compile(
    r"(?<!cu)bot(?:\b|_)|crawl|spider|slurp|headless|phantomjs|lighthouse|pingdom|facebookexternalhit"
    r"|preview|scanner|uptime|mediapartners|bingpreview|embedly|barracuda|proofpoint|mimecast",
    re.IGNORECASE,
)
"""User agents of crawlers, link checkers of mail filters and page testers."""

_AMPERSAND = re.compile("&(?:amp;)+")
"""An ampersand in a URL that was copied from HTML."""


def with_agreement_names(traits: Mapping[str, Any]) -> dict[str, Any]:
    """The traits under the agreement's names; a trait that already has such a name wins."""
    renamed = {snake_case(name) or name: value for name, value in traits.items()}
    return {**renamed, **{name: value for name, value in traits.items() if name in renamed}}


def with_page(properties: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with the page's url, path and title, where the event does not have its own."""
    page = context.get("page")
    fields = page if isinstance(page, dict) else {}
    result = {name: fields[name] for name in ("url", "path", "title") if fields.get(name)}
    result |= {name: value for name, value in properties.items() if value is not None}
    if "path" not in result and isinstance(url := result.get("url"), str):
        result["path"] = _split(url).path or "/"
    return result


def with_campaign(context: dict[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The context with its campaign: its own, completed by the parameters of the page's URL and of its `search`.

    Each text of it is one line, so that a name that was copied with a blank or a line break is the same name.
    """
    page = context.get("page")
    search = properties.get("search") or (page.get("search") if isinstance(page, dict) else None)
    from_url: dict[str, str] = {}
    for address in (
        f"?{search.lstrip('?')}" if isinstance(search, str) else None,
        properties.get("url"),
    ):
        if isinstance(address, str) and "utm_" in address:
            from_url |= _campaign(address)
    campaign = context.get("campaign")
    if not isinstance(campaign, dict | None) or not (from_url or campaign):
        return context
    own = (campaign or {}).items()
    lines = {name: one_line(it) if isinstance(it, str) else it for name, it in own}
    return {**context, "campaign": {**from_url, **lines}}


def is_bot(context: Mapping[str, Any]) -> bool:
    """Whether the user agent calls itself a bot."""
    agent = context.get("userAgent") or context.get("user_agent")
    return isinstance(agent, str) and _is_bot(agent)


@lru_cache(maxsize=4_000)
def _is_bot(agent: str) -> bool:
    return _BOT.search(agent) is not None


@lru_cache(maxsize=4_000)
def _campaign(url: str) -> Mapping[str, str]:
    query = _AMPERSAND.sub("&", _split(url).query)
    parameters = dict(parse_qsl(query, max_num_fields=None))
    return {
        name: one_line(storable(parameters[parameter]))
        for parameter, name in CAMPAIGN.items()
        if parameter in parameters
    }


@lru_cache(maxsize=4_000)
def _split(url: str) -> SplitResult:
    """The parts of the URL; empty ones for what is no URL."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
