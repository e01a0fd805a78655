"""A topic as one constant, and CloudEvents 1.0 in Kafka's binary mode around its payloads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import Rejected
from shared.values import holds_zero, within

Headers = tuple[tuple[str, bytes], ...]
"""A record's headers in order; a name may occur twice."""


_NAMES = frozenset(
    {
        "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type", "traceparent"
    }
)  # fmt: skip
"""The headers that we write ourselves."""


class Payload(BaseModel):
    """What a record says. Payloads only grow; readers ignore what they do not know."""

    model_config = ConfigDict(extra="ignore", frozen=True)


P = TypeVar("P", bound=Payload)
S_co = TypeVar("S_co", covariant=True)
"""What a message says: mostly a payload, or the same read in another way."""


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


class Message(NamedTuple, Generic[S_co]):
    """A decoded record. `id` is the cause's, so a replay carries the same one."""

    id: str
    source: str
    time: datetime
    key: str
    payload: S_co
    traceparent: str | None = None
    written: bytes = b""
    """The payload as it lay in Kafka, with what this reader does not know of it."""


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
        value = payload.model_dump_json(exclude_none=True).encode()
        key = self.key(payload)
        return self.record(value, key=key, id=id, source=source, at=at, traceparent=traceparent)

    def record(
        self,
        written: bytes,
        *,
        key: str,
        id: str,
        source: str,
        at: datetime,
        traceparent: str | None = None,
    ) -> Outgoing:
        """A payload that is written already, as a record."""
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
        return Outgoing(self.name, key.encode(), written, tuple(headers))

    def decode(self, record: Record) -> Message[P]:
        """The record's message; raises UndecodableRecord or UnknownVersion."""
        return self.decode_with(self._read, record)

    def decode_with(self, read: Callable[[bytes], S_co], record: Record) -> Message[S_co]:
        """The same with another way to read the payload, which raises pydantic's ValidationError as well."""
        said = dict(record.headers)
        if said.get("ce_type") != self._type:
            raise self._unknown(said.get("ce_type"))
        if not said.keys() <= _NAMES:
            _check_names(said)
        trace, value = said.get("traceparent"), record.value or b""
        try:
            return Message(
                said["ce_id"].decode("utf-8", "replace"),
                said["ce_source"].decode("utf-8", "replace"),
                datetime.fromisoformat(said["ce_time"].decode("utf-8", "replace")),
                (record.key or b"").decode(),
                read(value),
                None if trace is None else _text(trace),
                value,
            )
        except KeyError as missing:
            raise UndecodableRecord(f"header {missing} is missing") from None
        except ValidationError as wrong:
            raise UndecodableRecord(_first_fault(wrong)) from None
        except ValueError as wrong:
            raise UndecodableRecord(_unreadable(said["ce_time"], wrong)) from None

    @cached_property
    def _type(self) -> bytes:
        return self.type.encode()

    @cached_property
    def _read(self) -> Callable[[bytes], P]:
        """What `model_validate_json` calls in the end; text that older versions wrote is read as it can be stored."""
        validate: Callable[[bytes], P] = self.payload.__pydantic_validator__.validate_json
        return lambda written: validate(within(written) if holds_zero(written) else written)

    def _unknown(self, type_: bytes | None) -> Rejected:
        if type_ is None:
            return UndecodableRecord("header 'ce_type' is missing: this is no CloudEvent")
        return UnknownVersion(
            f"type {_text(type_)!r} is not the {self.type!r} that this reader knows"
        )


def _check_names(said: Iterable[str]) -> None:
    """Other headers than ours are nothing to us, but their names must be text."""
    for name in said:
        if "\N{REPLACEMENT CHARACTER}" in name:
            raise UndecodableRecord(f"the name of header {name!r} is no UTF-8")


@lru_cache(maxsize=1)
def _instant(at: datetime) -> bytes:
    """Remembered: what happens in a transaction mostly happens at one instant."""
    return at.isoformat().encode()


def _text(written: bytes) -> str:
    return written.decode("utf-8", "replace")


def _unreadable(time: bytes, wrong: ValueError) -> str:
    """What cannot be read; not the error's text, which may show a part of it."""
    try:
        datetime.fromisoformat(_text(time))
    except ValueError:
        return "header 'ce_time' is not a time as RFC 3339 has it"
    return f"the key or the value cannot be read: {type(wrong).__name__}"


def _first_fault(wrong: ValidationError) -> str:
    """The field, and the fault in pydantic's words; those of validators of our own may show the value."""
    fault = wrong.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, fault["loc"])) or "value"
    what = fault["type"] if fault["type"] in ("value_error", "assertion_error") else fault["msg"]
    return f"{where}: {what}"
