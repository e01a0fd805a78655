"""A topic as one constant, and CloudEvents 1.0 in Kafka's binary mode around its payloads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from pydantic import ValidationError

from shared.contracts.codec import Codec, P, encode
from shared.errors import Rejected

Headers = tuple[tuple[str, bytes], ...]
"""A record's headers in order; a name may occur twice."""


_NAMES = frozenset(
    {
        "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type", "traceparent"
    }
)  # fmt: skip
"""The headers that we write ourselves."""


P_co = TypeVar("P_co", covariant=True)


class UndecodableRecord(Rejected):
    """The record is not what its topic promises."""

    code = "undecodable_record"


class UnknownVersion(Rejected):
    """The record was written in a version that this reader does not know."""

    code = "unknown_version"


class Record(NamedTuple):
    """A record as it lies in Kafka. A tuple, as Message is: made a million times, in a fifth of a dataclass's time."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class LogPartition:
    """One partition of one log. A topic that was lost and made again is another log, by its id."""

    topic: str
    topic_id: UUID
    partition: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A record on its way to Kafka. What we pass on may lack its key or, as a tombstone, its value."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Outgoing(Sent):
    """What we say ourselves always has both."""

    key: bytes
    value: bytes


class Message(NamedTuple, Generic[P_co]):
    """A decoded record. `id` is the cause's, so a replay carries the same one."""

    id: str
    source: str
    time: datetime
    key: str
    payload: P_co
    traceparent: str | None = None
    json: bytes = b""
    """The payload as PostgreSQL can keep it, with the fields that this reader does not know."""


@dataclass(frozen=True)
class Topic(Generic[P]):
    """A topic's name, what it carries, what keys it, and the consumer groups that must read all of it."""

    name: str
    payload: type[P]
    key: Callable[[P], str]
    readers: tuple[str, ...]
    summary: str
    version: int = 1

    @property
    def dead(self) -> str:
        """Where records go that can never succeed."""
        return f"{self.name}.dead"

    @cached_property
    def type(self) -> str:
        """The CloudEvents type: the topic and the payload's major version."""
        return f"leadbaton.{self.name}.v{self.version}"

    def encode(
        self, payload: P, *, id: str, source: str, at: datetime, traceparent: str | None = None
    ) -> Outgoing:
        """The payload as a record; `id` derives from its cause, so that a replay says the same again."""
        return self.record(
            encode(payload),
            key=self.key(payload),
            id=id,
            source=source,
            at=at,
            traceparent=traceparent,
        )

    def record(
        self,
        json: bytes,
        *,
        key: str,
        id: str,
        source: str,
        at: datetime,
        traceparent: str | None = None,
    ) -> Outgoing:
        """A payload that is JSON already, as a record."""
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", id.encode()),
            ("ce_source", source.encode()),
            ("ce_type", self._type),
            ("ce_time", _instant(at)),
            ("content-type", b"application/json"),
        ]
        if traceparent is not None:
            headers.append(("traceparent", traceparent.encode()))
        return Outgoing(self.name, key.encode(), json, tuple(headers))

    def decode(self, record: Record) -> Message[P]:
        """The record's message; raises UndecodableRecord or UnknownVersion."""
        headers = dict(record.headers)
        if headers.get("ce_type") != self._type:
            raise self._unknown(headers.get("ce_type"))
        if not headers.keys() <= _NAMES:
            _check_names(headers)
        traceparent = headers.get("traceparent")
        try:
            payload, json = self.codec.decode_storable(record.value or b"")
            return Message(
                headers["ce_id"].decode("utf-8", "replace"),
                headers["ce_source"].decode("utf-8", "replace"),
                datetime.fromisoformat(headers["ce_time"].decode("utf-8", "replace")),
                (record.key or b"").decode(),
                payload,
                None if traceparent is None else _text(traceparent),
                json,
            )
        except KeyError as missing:
            raise UndecodableRecord(f"header {missing} is missing") from None
        except ValidationError as error:
            raise UndecodableRecord(_first_fault(error)) from None
        except ValueError as error:
            raise UndecodableRecord(_unreadable(headers["ce_time"], error)) from None

    @cached_property
    def codec(self) -> Codec[P]:
        """Reads the payload."""
        return Codec(self.payload)

    @cached_property
    def _type(self) -> bytes:
        return self.type.encode()

    def _unknown(self, type_: bytes | None) -> Rejected:
        if type_ is None:
            return UndecodableRecord("header 'ce_type' is missing: this is no CloudEvent")
        return UnknownVersion(
            f"type {_text(type_)!r} is not the {self.type!r} that this reader knows"
        )


def _check_names(names: Iterable[str]) -> None:
    """Headers of others may say anything, but their names must be text."""
    for name in names:
        if "\N{REPLACEMENT CHARACTER}" in name:
            raise UndecodableRecord(f"the name of header {name!r} is no UTF-8")


@lru_cache(maxsize=1)
def _instant(at: datetime) -> bytes:
    """The instant as RFC 3339. The last one is cached: most records of a transaction have the same."""
    return at.isoformat().encode()


def _text(header: bytes) -> str:
    return header.decode("utf-8", "replace")


def _unreadable(time: bytes, error: ValueError) -> str:
    """What cannot be read; not the error's text, which may show a part of it."""
    try:
        datetime.fromisoformat(_text(time))
    except ValueError:
        return "header 'ce_time' is not a time as RFC 3339 has it"
    return f"the key or the value cannot be read: {type(error).__name__}"


def _first_fault(error: ValidationError) -> str:
    """The field, and the fault in pydantic's words; those of validators of our own may show the value."""
    fault = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, fault["loc"])) or "value"
    own = fault["type"] in ("value_error", "assertion_error")
    return f"{field}: {fault['type'] if own else fault['msg']}"
