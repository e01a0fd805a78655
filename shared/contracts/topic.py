"""Topics, and their records: CloudEvents 1.0 in Kafka's binary mode."""

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


_HEADER_NAMES = frozenset(
    {
        "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type", "traceparent"
    }
)  # fmt: skip
"""The headers that `Topic.record` writes."""


P_co = TypeVar("P_co", covariant=True)


class UndecodableRecord(Rejected):
    """The record is no CloudEvent with a payload of its topic."""

    code = "undecodable_record"


class UnknownVersion(Rejected):
    """The record has a version of the payload that this reader does not know."""

    code = "unknown_version"


class Record(NamedTuple):
    """A record in Kafka. A tuple, as Message is: it is made in a fifth of the time that a dataclass takes."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class LogPartition:
    """One partition of one log. A topic that was deleted and made again is another log with another id."""

    topic: str
    topic_id: UUID
    partition: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A record to be sent to Kafka. A replayed one may lack its key or, as a tombstone, its value."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Outgoing(Sent):
    """A record of a payload, which has both a key and a value."""

    key: bytes
    value: bytes


class Message(NamedTuple, Generic[P_co]):
    """A decoded record. Its `id` derives from its cause, so a replay has the same one."""

    id: str
    source: str
    time: datetime
    key: str
    payload: P_co
    traceparent: str | None = None
    json: bytes = b""
    """The payload as PostgreSQL can store it, with the fields that this reader does not know."""


@dataclass(frozen=True)
class Topic(Generic[P]):
    """A topic: its name, payload and key, and the consumer groups that must read all of it."""

    name: str
    payload: type[P]
    key: Callable[[P], str]
    readers: tuple[str, ...]
    summary: str
    version: int = 1

    @property
    def dead(self) -> str:
        """The name of the topic of its dead letters."""
        return f"{self.name}.dead"

    @cached_property
    def type(self) -> str:
        """The CloudEvents type: the topic and the payload's major version."""
        return f"leadbaton.{self.name}.v{self.version}"

    def encode(
        self, payload: P, *, id: str, source: str, at: datetime, traceparent: str | None = None
    ) -> Outgoing:
        """The payload as a record. `id` derives from the cause, so that a replay has the same one."""
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
        """The payload, which is JSON already, as a record."""
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
        if not headers.keys() <= _HEADER_NAMES:
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
    """Other headers may have any value, but their names must be text."""
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
    """A reason without the error's text, which may show a part of the value."""
    try:
        datetime.fromisoformat(_text(time))
    except ValueError:
        return "header 'ce_time' is not a time as RFC 3339 has it"
    return f"the key or the value cannot be read: {type(error).__name__}"


def _first_fault(error: ValidationError) -> str:
    """The first wrong field, and pydantic's message or, where a text of ours might show the value, the type."""
    fault = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, fault["loc"])) or "value"
    is_own = fault["type"] in ("value_error", "assertion_error")
    return f"{field}: {fault['type'] if is_own else fault['msg']}"
