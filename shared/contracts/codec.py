"""Payloads: their base class, and their conversion to JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import datetime
from functools import cached_property, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

import msgspec
from pydantic import (
    AwareDatetime,
    BaseModel,
    Field,
    GetCoreSchemaHandler,
    TypeAdapter,
    create_model,
)
from pydantic_core import CoreSchema, core_schema

from shared import values

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its offset from UTC."""


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The content of a message. Fields are only added; readers ignore fields that they do not know."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic treat a payload as a model with the same fields: in validation, in JSON and in JSON Schema."""
        model = _model_of(cls)
        schema = handler.generate_schema(model)
        return core_schema.no_info_wrap_validator_function(
            lambda value, read: value if isinstance(value, cls) else cls(**dict(read(value))),
            schema,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda payload: model.model_construct(**msgspec.structs.asdict(payload)),
                return_schema=schema,
            ),
        )


P = TypeVar("P", bound=Payload)
T = TypeVar("T")


def _as_text(value: object) -> str:
    """The text of a number that is kept as text, for msgspec to write."""
    if isinstance(value, values.NumberText):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no part of a payload")


encode = msgspec.json.Encoder(enc_hook=_as_text).encode
"""Encodes a payload as JSON; a field with None, its default, is left out."""


def always_encoded(default: T) -> T:
    """A field with this default, which is written into the JSON, unlike None."""
    field: T = msgspec.field(default_factory=lambda: copy(default))
    return field


class Codec(Generic[P]):
    """Reads payloads of one class.

    msgspec reads them in a quarter of pydantic's time. JSON that it refuses is read by pydantic, which accepts more
    notations of an instant, a UUID or a number, and whose errors name the field and show no value.
    """

    def __init__(self, payload: type[P]) -> None:
        self._payload = payload
        self._decode = msgspec.json.Decoder(payload).decode

    def decode(self, json: bytes | str) -> P:
        """The payload; raises pydantic's ValidationError."""
        return self.decode_storable(
            json if isinstance(json, bytes) else json.encode("utf-8", "surrogatepass")
        )[0]

    def decode_storable(self, json: bytes) -> tuple[P, bytes]:
        """The payload, and its JSON as PostgreSQL can store it: the same object where no value had to be changed."""
        if not values.may_hold_nul(json):
            try:
                return self._decode(json), json
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass
        json = values.normal_json(json)
        return self._adapter.validate_json(json), json

    def convert(self, fields: Mapping[str, Any]) -> P:
        """The payload of parsed JSON, as a JSONB column gives it; raises pydantic's ValidationError."""
        try:
            return msgspec.convert(fields, self._payload)
        except msgspec.ValidationError:
            return self._adapter.validate_python(fields)

    @cached_property
    def _adapter(self) -> TypeAdapter[P]:
        return TypeAdapter(self._payload)


def _model_of(payload: type[Payload]) -> type[BaseModel]:
    """A pydantic model with the fields of the payload."""
    fields: dict[str, Any] = {
        field.name: (_annotation(field.type), _default(field))
        for field in msgspec.structs.fields(payload)
    }
    return create_model(payload.__name__, __doc__=payload.__doc__, **fields)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    """The field's default as pydantic takes it; `...` if the field is required."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return ... if field.required else field.default


def _annotation(annotation: Any) -> Any:
    """The field's annotation as pydantic understands it."""
    if get_origin(annotation) is Annotated:
        inner, *constraints = get_args(annotation)
        aware = any(meta.tz for meta in constraints)
        fields = (Field(ge=meta.ge, description=meta.description) for meta in constraints)
        return reduce(_annotated, fields, AwareDatetime if aware else _annotation(inner))
    if get_origin(annotation) in (Union, UnionType):
        return reduce(or_, map(_annotation, get_args(annotation)))
    return dict[str, Any] if annotation == dict[str, values.Value] else annotation


def _annotated(annotation: Any, field: Any) -> Any:
    return Annotated[annotation, field]
