"""Segment's HTTP API, which its clients and compatible ones use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any

import orjson

from services.scoring.domain.account import company_domain
from services.scoring.domain.content_ids import content_id
from services.scoring.domain.identifiers import (
    LONGEST_ID,
    id_text,
    normal_email,
    normal_id,
    trimmed,
)
from services.scoring.ingest.errors import InvalidEvent, TooDeep
from services.scoring.ingest.formats.batch import Batch
from services.scoring.ingest.normalize.event import (
    AcceptedEvent,
    Arrival,
    ParsedEvent,
    accepted_event,
)
from services.scoring.ingest.normalize.names import with_agreement_names
from services.scoring.ingest.normalize.timestamps import parse_instant, without_skew
from shared import values
from shared.agreement.event_types import snake_case
from shared.contracts.payloads import EventKind, Identity

Item = Mapping[str, Any]

TIMES = ("timestamp", "originalTimestamp")
"""The caller's time before the client's: some clients write their own clock into the second."""

MAX_COMMON_BYTES = 8_000
"""The limit of the context that a batch has for all its events."""


def segment_batch(content: Any) -> Batch:
    """The body of `/v1/batch`: each event has its own `type`."""
    items = content.get("batch") if isinstance(content, dict) else None
    if not isinstance(items, list):
        raise InvalidEvent("batch: should be a list of events")
    convert = partial(segment_event, envelope=content)
    context = content.get("context")
    common = context if isinstance(context, dict) else {}
    _check(common)
    return Batch("segment", items, convert, "messageId", ("batch",), common)


def segment_item(content: Any) -> Batch:
    """One event of a batch that was stored alone, without what it shared with others; or a whole body of a batch."""
    if isinstance(content, dict) and "batch" in content:
        return segment_batch(content)
    return Batch("segment", [content], partial(segment_event, envelope={}), "messageId")


def segment_single(call: str, content: Any) -> Batch:
    """The body of `/v1/track` and the like: one event, whose type is in the path."""
    item = {**content, "type": call} if isinstance(content, dict) else content
    return Batch("segment", [item], partial(segment_event, envelope={}), "messageId")


def segment_event(item: object, arrival: Arrival, envelope: Item) -> AcceptedEvent:
    """The event; raises InvalidEvent or NoIdentity. `envelope` is the batch's body, with what all events share."""
    if not isinstance(item, dict):
        raise InvalidEvent("event: should be an object")
    call_name = item.get("type")
    call = _CALLS.get(call_name.lower()) if isinstance(call_name, str) else None
    if call is None:
        raise InvalidEvent(f"type: should be one of {', '.join(_CALLS)}")
    context = {**_object(envelope, "context"), **_object(item, "context")}
    parsed = _common(item, arrival, envelope, context)
    call(parsed, item)
    return accepted_event(parsed, arrival)


def _common(item: Item, arrival: Arrival, envelope: Item, context: dict[str, Any]) -> ParsedEvent:
    traits = with_agreement_names(_object(context, "traits"))
    user_id = _id(item, "userId")
    return ParsedEvent(
        id=_event_id(item, arrival, envelope),
        type="",
        time=_time(item, arrival, envelope),
        email=_text(traits.get("email")),
        phone=_text(traits.get("phone")),
        user_id=user_id,
        anonymous_id=_id(item, "anonymousId"),
        traits=traits,
        properties=_object(item, "properties"),
        context={name: value for name, value in context.items() if name != "traits"},
    )


def _track(parsed: ParsedEvent, item: Item) -> None:
    event = item.get("event")
    parsed.type = snake_case(event) if isinstance(event, str) else ""
    if not parsed.type:
        raise InvalidEvent("event: should be the event's name")
    _use_email_as_user_id(parsed)


def _page(parsed: ParsedEvent, item: Item) -> None:
    parsed.type = "page_viewed"
    _name_page(parsed, item)


def _screen(parsed: ParsedEvent, item: Item) -> None:
    parsed.type = "screen_viewed"
    _name_page(parsed, item)


def _name_page(parsed: ParsedEvent, item: Item) -> None:
    names = {name: item[name] for name in ("name", "category") if item.get(name)}
    parsed.properties = {**names, **(parsed.properties or {})}
    _use_email_as_user_id(parsed)


def _identify(parsed: ParsedEvent, item: Item) -> None:
    traits = {**(parsed.traits or {}), **with_agreement_names(_object(item, "traits"))}
    parsed.type, parsed.kind, parsed.traits = "identified", EventKind.IDENTIFY, traits
    parsed.email, parsed.phone = _text(traits.get("email")), _text(traits.get("phone"))
    _use_email_as_user_id(parsed)


def _group(parsed: ParsedEvent, item: Item) -> None:
    """A group is a company: its name becomes `company`, its domain or id `account`, its e-mail no identifier."""
    company = with_agreement_names(_object(item, "traits"))
    if "name" in company:
        company["company"] = company.pop("name")
    facts = {name: value for name, value in company.items() if name not in ("email", "phone", "id")}
    group_id = normal_id(_id(item, "groupId"))
    if account := _account(company) or group_id:
        facts.setdefault("account", account)
    parsed.type, parsed.kind = "grouped", EventKind.IDENTIFY
    parsed.traits = {**(parsed.traits or {}), **facts}
    parsed.context = {**(parsed.context or {}), "group_id": group_id}
    _use_email_as_user_id(parsed)


def _account(company: Item) -> str | None:
    """The company's registrable domain, by its `domain` or its `website`; None if neither has one."""
    addresses = (_text(company.get(name)) for name in ("domain", "website"))
    domains = (company_domain(trimmed(it)) for it in addresses if it is not None)
    return next((it for it in domains if it is not None), None)


def _alias(parsed: ParsedEvent, item: Item) -> None:
    """Clients send anonymous ids as well as user ids as `previousId`: it is read as both."""
    previous = normal_id(_id(item, "previousId"))
    if previous is None:
        raise InvalidEvent("previousId: should be the id that the person had before")
    parsed.type, parsed.kind = "aliased", EventKind.ALIAS
    email = normal_email(previous)
    parsed.previous = (
        Identity(email=email) if email else Identity(user_id=previous, anonymous_id=previous)
    )
    _use_email_as_user_id(parsed)


_CALLS: dict[str, Callable[[ParsedEvent, Item], None]] = {
    "track": _track,
    "page": _page,
    "screen": _screen,
    "identify": _identify,
    "group": _group,
    "alias": _alias,
}


def _use_email_as_user_id(parsed: ParsedEvent) -> None:
    """Read a user id that is an e-mail address as the address, too."""
    if not parsed.email and parsed.user_id is not None and "@" in parsed.user_id:
        parsed.email = normal_email(parsed.user_id)


def _time(item: Item, arrival: Arrival, envelope: Item) -> datetime:
    """When the event happened: its `timestamp`, else its `originalTimestamp`, else those of the batch, else now."""
    instants = (
        parse_instant(fields.get(name), name=name) for fields in (item, envelope) for name in TIMES
    )
    original = next((instant for instant in instants if instant is not None), None)
    if original is None:
        return arrival.received_at
    sent_at = parse_instant(item.get("sentAt") or envelope.get("sentAt"), name="sentAt")
    return without_skew(original, sent_at, arrival.received_at)


def _event_id(item: Item, arrival: Arrival, envelope: Item) -> str:
    """The sender's id; without one an id derived from the content, so that a retry is the same event."""
    message_id = _id(item, "messageId")
    if message_id is not None and 0 < len(message_id) <= LONGEST_ID:
        return message_id
    content = {name: value for name, value in item.items() if name not in ("sentAt", "writeKey")}
    times = {name: envelope[name] for name in TIMES if envelope.get(name) is not None}
    try:
        json = orjson.dumps([content, times], option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        raise TooDeep from None
    has_time = bool(times) or any(item.get(name) is not None for name in TIMES)
    return content_id(sha256(json).hexdigest(), None if has_time else arrival.received_at)


def _check(common: Item) -> None:
    """Refuse a large common context, which is stored with each event."""
    try:
        values.out_of_range(common.values())
    except values.TooDeep:
        raise TooDeep from None
    size = len(orjson.dumps(common))
    if size > MAX_COMMON_BYTES:
        raise InvalidEvent(
            f"context: the context of a batch has {size} bytes: send at most {MAX_COMMON_BYTES}, "
            "and the rest in the events' own contexts"
        )


def _object(item: Item, name: str) -> dict[str, Any]:
    value = item.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidEvent(f"{name}: should be an object")
    return value


def _id(item: Item, name: str) -> str | None:
    """The id as text; None for what is neither text nor a number. Raises InvalidEvent where digits are lost."""
    value = item.get(name)
    if value is None:
        return None
    try:
        text = id_text(value)
    except ValueError as error:
        raise InvalidEvent(f"{name}: {error}") from None
    return text if isinstance(text, str) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
