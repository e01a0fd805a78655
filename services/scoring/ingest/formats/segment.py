"""Segment's HTTP API: what its clients, and those that imitate them, send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any

import orjson

from services.scoring.ingest.errors import InvalidEvent, TooDeep
from services.scoring.ingest.formats.batch import Batch
from services.scoring.ingest.normalize.event import Arrival, ParsedEvent, marketing_event
from services.scoring.ingest.normalize.identities import (
    LONGEST_ID,
    id_text,
    normal_email,
    normal_id,
)
from services.scoring.ingest.normalize.names import snake_case, with_agreement_names
from services.scoring.ingest.normalize.timestamps import parse_instant, without_skew
from shared import values
from shared.contracts.payloads import EventKind, Identity, MarketingEvent

Item = Mapping[str, Any]

MAX_COMMON_BYTES = 8_000
"""Of the context that a batch says of all its events."""


def segment_batch(content: Any) -> Batch:
    """`/v1/batch`: events that each say what they are."""
    items = content.get("batch") if isinstance(content, dict) else None
    if not isinstance(items, list):
        raise InvalidEvent("batch: should be a list of events")
    convert = partial(segment_event, envelope=content)
    context = content.get("context")
    common = context if isinstance(context, dict) else {}
    _check(common)
    return Batch("segment", items, convert, "messageId", ("batch",), common)


def segment_single(call: str, content: Any) -> Batch:
    """`/v1/track` and the like: one event, and the path says what it is."""
    item = {**content, "type": call} if isinstance(content, dict) else content
    return Batch("segment", [item], partial(segment_event, envelope={}), "messageId")


def segment_event(item: object, arrival: Arrival, envelope: Item) -> MarketingEvent:
    """The event; raises InvalidEvent or NoIdentity. What a batch says of all is in its envelope."""
    if not isinstance(item, dict):
        raise InvalidEvent("event: should be an object")
    call_name = item.get("type")
    call = _CALLS.get(call_name.lower()) if isinstance(call_name, str) else None
    if call is None:
        raise InvalidEvent(f"type: should be one of {', '.join(_CALLS)}")
    context = {**_object(envelope, "context"), **_object(item, "context")}
    parsed = _common(item, arrival, envelope, context)
    call(parsed, item)
    return marketing_event(parsed, arrival)


def _common(item: Item, arrival: Arrival, envelope: Item, context: dict[str, Any]) -> ParsedEvent:
    traits = with_agreement_names(_object(context, "traits"))
    user_id = _id(item, "userId")
    return ParsedEvent(
        id=_message_id(item),
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
    """A group is a company: its name is the person's `company`, its e-mail is nobody's."""
    company = with_agreement_names(_object(item, "traits"))
    if "name" in company:
        company["company"] = company.pop("name")
    facts = {name: value for name, value in company.items() if name not in ("email", "phone", "id")}
    parsed.type, parsed.kind = "grouped", EventKind.IDENTIFY
    parsed.traits = {**(parsed.traits or {}), **facts}
    parsed.context = {**(parsed.context or {}), "group_id": normal_id(_id(item, "groupId"))}
    _use_email_as_user_id(parsed)


def _alias(parsed: ParsedEvent, item: Item) -> None:
    """Clients say `previousId` of an anonymous id as well as of a user id: it is whichever there is."""
    previous = normal_id(_id(item, "previousId"))
    if previous is None:
        raise InvalidEvent("previousId: should be the id that the person had previous")
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
    """Many use the e-mail as user id; then it is both."""
    if not parsed.email and parsed.user_id is not None and "@" in parsed.user_id:
        parsed.email = normal_email(parsed.user_id)


def _time(item: Item, arrival: Arrival, envelope: Item) -> datetime:
    instants = (
        parse_instant(fields.get(name), name=name)
        for fields in (item, envelope)
        for name in ("originalTimestamp", "timestamp")
    )
    original = next((instant for instant in instants if instant is not None), None)
    if original is None:
        return arrival.received_at
    sent_at = parse_instant(item.get("sentAt") or envelope.get("sentAt"), name="sentAt")
    return without_skew(original, sent_at, arrival.received_at)


def _message_id(item: Item) -> str:
    """The sender's id; without one a digest of the content, so that a retry is the same event."""
    message_id = _id(item, "messageId")
    if message_id is not None and 0 < len(message_id) <= LONGEST_ID:
        return message_id
    content = {name: value for name, value in item.items() if name not in ("sentAt", "writeKey")}
    try:
        json = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        raise TooDeep from None
    return f"content-{sha256(json).hexdigest()}"


def _check(common: Item) -> None:
    """Refuse a large common context: it is stored with each event, and 1 MB of it would be gigabytes."""
    try:
        values.out_of_range(common.values())
    except values.TooDeep:
        raise TooDeep from None
    size = len(orjson.dumps(common))
    if size > MAX_COMMON_BYTES:
        raise InvalidEvent(
            f"context: what a batch says of all its events has {size} bytes: {MAX_COMMON_BYTES} are the most; "
            "say it in the events that it is about"
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
