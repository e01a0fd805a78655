"""Marketing touches: whether an event is one, and by which channel it came."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import NAMESPACE_OID, UUID, uuid5

from services.scoring.domain.account import registrable_domain
from services.scoring.domain.page import url_of
from shared.agreement.channels import BUILT_IN, REFERRAL, UNNAMED, is_never_a_touch
from shared.agreement.model import ChannelRule
from shared.contracts.payloads import EventKind, MarketingEvent
from shared.contracts.touches import MarketingTouch, TouchCause

FIRST = 20
LAST = 180
"""How many of a lead's touches are announced: the first ones and the last ones."""

CAMPAIGN = 200
"""Most characters of a campaign."""

AUTOMATED_MARKS = frozenset({"bot", "burst"})
"""Marks of events that no person caused. Such events are stored, give no points and are no touches."""

_SEPARATORS = re.compile(r"[\s_-]+")


class Origin(NamedTuple):
    """Where a touch came from."""

    channel: str
    campaign: str | None


class TouchHistory(NamedTuple):
    """A lead's touches in a period: the first and the last ones, and how many are left out between them.

    `known_at` is the time of the first event that names a person and not only a visitor.
    """

    touches: tuple[MarketingTouch, ...] = ()
    omitted: int = 0
    known_at: datetime | None = None


class TouchPeriod(NamedTuple):
    """The time of a lead until it qualified, or until a qualification was closed.

    `lead_id` is the lead that has the events now, `qualified_lead_id` the one that qualified: merges part them.
    """

    lead_id: UUID
    qualified_lead_id: UUID
    qualification: int
    cause: TouchCause
    ends_at: datetime
    sequence: int = 0
    """Of a closing: the sequence of the handoff's change."""

    @property
    def key(self) -> str:
        """The natural key of what ended the period."""
        key = f"{self.qualified_lead_id}/{self.qualification}/{self.cause}"
        return f"{key}/{self.sequence}" if self.sequence else key


class ChannelTable:
    """The rules of an agreement, before the built-in ones, by what they read."""

    def __init__(self, rules: Iterable[ChannelRule], hand_raises: Collection[str] = ()) -> None:
        table = (*rules, *BUILT_IN, ChannelRule(channel="direct", types=tuple(hand_raises)))
        self._named = [
            (it.channel, frozenset(map(_plain, it.mediums)), frozenset(map(_plain, it.sources)))
            for it in table
            if it.mediums or it.sources
        ]
        self._hosts = _first_channels((it.channel, map(str.lower, it.referrers)) for it in table)
        self._types = _first_channels((it.channel, it.types) for it in table)

    def of_campaign(self, medium: object, source: object) -> str | None:
        """The channel of the first rule that names the medium, the source, or both where it has both."""
        medium, source = _plain(medium), _plain(source)
        if not medium and not source:
            return None
        return next(
            (
                channel
                for channel, mediums, sources in self._named
                if (not mediums or medium in mediums) and (not sources or source in sources)
            ),
            None,
        )

    def of_referrer(self, event: MarketingEvent) -> str | None:
        """The channel of the page that led to the event's page; None for a page of the same site, or without one."""
        host = _referrer_of(event)
        if host is None:
            return None
        own = _host(url_of(event) or "")
        if own is not None and _site(own) == _site(host):
            return None
        named = next((self._hosts[it] for it in _host_names(host) if it in self._hosts), None)
        return named or (None if own is None else REFERRAL)

    def of_type(self, type: str) -> str | None:
        """The channel of the first rule that names the event type."""
        return self._types.get(type)


def origin_of(event: MarketingEvent, table: ChannelTable) -> Origin | None:
    """Where the event came from; None if it is no touch.

    A touch is something that a person did and that names a campaign or a channel. An opened mail never is one.
    """
    if event.kind is not EventKind.TRACK or is_never_a_touch(event.type):
        return None
    if not AUTOMATED_MARKS.isdisjoint(event.marks):
        return None
    fields = event.context.get("campaign")
    fields = fields if isinstance(fields, dict) else {}
    medium, source, campaign = fields.get("medium"), fields.get("source"), _campaign(fields)
    channel = (
        table.of_campaign(medium, source) or table.of_referrer(event) or table.of_type(event.type)
    )
    if channel is None and (campaign or _plain(medium) or _plain(source)):
        channel = UNNAMED
    return None if channel is None else Origin(channel, campaign)


def touch_id(source: str, event_id: str) -> str:
    """The id of an event's touch. It does not show the sender's id, which may hold an address."""
    return str(uuid5(NAMESPACE_OID, f"{source}/{event_id}"))


def _first_channels(rows: Iterable[tuple[str, Iterable[str]]]) -> Mapping[str, str]:
    """The channel of each name; the first row that has the name counts."""
    channels: dict[str, str] = {}
    for channel, names in rows:
        for name in names:
            channels.setdefault(name, channel)
    return channels


def _campaign(fields: Mapping[str, Any]) -> str | None:
    """The campaign's name, else its id."""
    names = (fields.get("name"), fields.get("campaign"), fields.get("id"))
    return next((it[:CAMPAIGN] for it in names if isinstance(it, str) and it.strip()), None)


def _plain(name: object) -> str:
    """The name in lower case, with `_` for blanks and hyphens; empty for what is no text."""
    return _SEPARATORS.sub("_", name.strip().lower()) if isinstance(name, str) else ""


def _referrer_of(event: MarketingEvent) -> str | None:
    page = event.context.get("page")
    page = page if isinstance(page, dict) else {}
    for address in (event.properties.get("referrer"), page.get("referrer")):
        if isinstance(address, str) and (host := _host(address)):
            return host
    return None


@lru_cache(maxsize=4_000)
def _host(address: str) -> str | None:
    """The host of a URL, in lower case; None for what has none."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _site(host: str) -> str:
    """The registrable domain; the host where it has none, such as in a network of its own."""
    return registrable_domain(host) or host


@lru_cache(maxsize=4_000)
def _host_names(host: str) -> tuple[str, ...]:
    """The names by which rules may mean this host, the most specific first."""
    return tuple(_names_of(host))


def _names_of(host: str) -> Iterator[str]:
    domain = registrable_domain(host)
    parts = host.split(".")
    for at in range(len(parts)):
        name = ".".join(parts[at:])
        yield name
        if name == domain:
            yield f"{parts[at]}.*"
