"""Segment's HTTP API: what its clients, and those that imitate them, send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any

import orjson

from services.scoring.ingest.batch import Batch
from services.scoring.ingest.event import Arrival, Said, marketing_event
from services.scoring.ingest.refusals import InvalidEvent, TooDeep
from services.scoring.ingest.what import name_of, named
from services.scoring.ingest.when import instant, unskewed
from services.scoring.ingest.who import LONGEST_ID, email_of, id_of, id_text
from shared import values
from shared.contracts.payloads import EventKind, Identity, MarketingEvent

Item = Mapping[str, Any]

MAX_COMMON_BYTES = 8_000
"""Of the context that a batch says of all its events."""


def segment_batch(said: Any) -> Batch:
    """`/v1/batch`: events that each say what they are."""
    items = said.get("batch") if isinstance(said, dict) else None
    if not isinstance(items, list):
        raise InvalidEvent("batch: should be a list of events")
    convert = partial(segment_event, envelope=said)
    context = said.get("context")
    common = context if isinstance(context, dict) else {}
    _check(common)
    return Batch("segment", items, convert, "messageId", ("batch",), common)


def segment_single(call: str, said: Any) -> Batch:
    """`/v1/track` and the like: one event, and the path says what it is."""
    item = {**said, "type": call} if isinstance(said, dict) else said
    return Batch("segment", [item], partial(segment_event, envelope={}), "messageId")


def segment_event(item: object, arrival: Arrival, envelope: Item) -> MarketingEvent:
    """The event; raises InvalidEvent or NoIdentity. What a batch says of all is in its envelope."""
    if not isinstance(item, dict):
        raise InvalidEvent("event: should be an object")
    named_call = item.get("type")
    call = _CALLS.get(named_call.lower()) if isinstance(named_call, str) else None
    if call is None:
        raise InvalidEvent(f"type: should be one of {', '.join(_CALLS)}")
    context = {**_object(envelope, "context"), **_object(item, "context")}
    said = _common(item, arrival, envelope, context)
    call(said, item)
    return marketing_event(said, arrival)


def _common(item: Item, arrival: Arrival, envelope: Item, context: dict[str, Any]) -> Said:
    traits = named(_object(context, "traits"))
    user_id = _id(item, "userId")
    return Said(
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


def _track(said: Said, item: Item) -> None:
    event = item.get("event")
    said.type = name_of(event) if isinstance(event, str) else ""
    if not said.type:
        raise InvalidEvent("event: should be the event's name")
    _known_by_user_id(said)


def _page(said: Said, item: Item) -> None:
    said.type = "page_viewed"
    _named_place(said, item)


def _screen(said: Said, item: Item) -> None:
    said.type = "screen_viewed"
    _named_place(said, item)


def _named_place(said: Said, item: Item) -> None:
    told = {name: item[name] for name in ("name", "category") if item.get(name)}
    said.properties = {**told, **(said.properties or {})}
    _known_by_user_id(said)


def _identify(said: Said, item: Item) -> None:
    traits = {**(said.traits or {}), **named(_object(item, "traits"))}
    said.type, said.kind, said.traits = "identified", EventKind.IDENTIFY, traits
    said.email, said.phone = _text(traits.get("email")), _text(traits.get("phone"))
    _known_by_user_id(said)


def _group(said: Said, item: Item) -> None:
    """A group is a company: its name is the person's `company`, its e-mail is nobody's."""
    company = named(_object(item, "traits"))
    if "name" in company:
        company["company"] = company.pop("name")
    about = {name: value for name, value in company.items() if name not in ("email", "phone", "id")}
    said.type, said.kind = "grouped", EventKind.IDENTIFY
    said.traits = {**(said.traits or {}), **about}
    said.context = {**(said.context or {}), "group_id": id_of(_id(item, "groupId"))}
    _known_by_user_id(said)


def _alias(said: Said, item: Item) -> None:
    """Clients say `previousId` of an anonymous id as well as of a user id: it is whichever there is."""
    before = id_of(_id(item, "previousId"))
    if before is None:
        raise InvalidEvent("previousId: should be the id that the person had before")
    said.type, said.kind = "aliased", EventKind.ALIAS
    email = email_of(before)
    said.previous = (
        Identity(email=email) if email else Identity(user_id=before, anonymous_id=before)
    )
    _known_by_user_id(said)


_CALLS: dict[str, Callable[[Said, Item], None]] = {
    "track": _track,
    "page": _page,
    "screen": _screen,
    "identify": _identify,
    "group": _group,
    "alias": _alias,
}


def _known_by_user_id(said: Said) -> None:
    """Many use the e-mail as user id; then it is both."""
    if not said.email and said.user_id is not None and "@" in said.user_id:
        said.email = email_of(said.user_id)


def _time(item: Item, arrival: Arrival, envelope: Item) -> Any:
    original = next(
        (
            found
            for said in (item, envelope)
            for name in ("originalTimestamp", "timestamp")
            if (found := instant(said.get(name), name=name)) is not None
        ),
        None,
    )
    if original is None:
        return arrival.received_at
    sent_at = instant(item.get("sentAt") or envelope.get("sentAt"), name="sentAt")
    return unskewed(original, sent_at, arrival.received_at)


def _message_id(item: Item) -> str:
    """The sender's; without one, what the content says, so that a retry is the same event."""
    message_id = _id(item, "messageId")
    if message_id is not None and 0 < len(message_id) <= LONGEST_ID:
        return message_id
    content = {name: value for name, value in item.items() if name not in ("sentAt", "writeKey")}
    try:
        written = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        raise TooDeep from None
    return f"content-{sha256(written).hexdigest()}"


def _check(common: Item) -> None:
    """What a batch says of all its events is kept with each of them: 1 MB of it would be gigabytes."""
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


def _object(said: Item, name: str) -> dict[str, Any]:
    found = said.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidEvent(f"{name}: should be an object")
    return found


def _id(item: Item, name: str) -> str | None:
    """The id as text; None for what is neither text nor a number. Raises InvalidEvent where digits are lost."""
    value = item.get(name)
    if value is None:
        return None
    try:
        text = id_text(value)
    except ValueError as wrong:
        raise InvalidEvent(f"{name}: {wrong}") from None
    return text if isinstance(text, str) else None


def _text(said: object) -> str | None:
    return said if isinstance(said, str) else None
