"""Reads JSON Schemas of an OpenAPI document for people: the fields of a body, their types, an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Json = Mapping[str, Any]

MAX_LEVELS = 3
"""Objects inside objects are described down to this level."""


class SchemaField(NamedTuple):
    """A field of a body; `name` is its path, such as `data.lead.email`."""

    name: str
    kind: str
    description: str
    is_required: bool


def fields_of(schema: Json, document: Json, *, level: int = MAX_LEVELS) -> Iterator[SchemaField]:
    """The fields of the object that the schema describes; of several forms, those of the first object."""
    schema = _object_in(schema, document)
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield SchemaField(
            name, kind_of(field, document), _description(field, document), name in required
        )
        if level > 1:
            inner = _object_in(field, document)
            for inner_field in fields_of(inner, document, level=level - 1):
                yield inner_field._replace(name=f"{name}.{inner_field.name}")


def example_of(content: Json, document: Json) -> Any:
    """The example of a body, from its media type or its schema; None without one."""
    if "example" in content:
        return content["example"]
    schema = _resolved(content["schema"], document)
    return next(iter(schema.get("examples", ())), None)


def _resolved(schema: Json, document: Json) -> Json:
    """The schema that a reference leads to."""
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"][name]
    return schema


def _alternatives(schema: Json) -> list[Json]:
    """The alternatives of a schema without null, or the schema alone."""
    forms = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf") or [schema]
    return [it for it in forms if it.get("type") != "null"]


def _object_in(schema: Json, document: Json) -> Json:
    """The first object among the forms of a schema, or the items of its first list; empty without one."""
    for alternative in _alternatives(_resolved(schema, document)):
        inner = _resolved(alternative, document)
        if "items" in inner:
            inner = _object_in(inner["items"], document)
        if "properties" in inner:
            return inner
    return {}


def _description(schema: Json, document: Json) -> str:
    own = schema.get("description")
    return str(own if own is not None else _resolved(schema, document).get("description", ""))


def kind_of(schema: Json, document: Json) -> str:
    """The type in words, such as `string, 1 to 200 characters` or `list of objects`."""
    kinds = [
        _kind_of_alternative(_resolved(it, document), document) for it in _alternatives(schema)
    ]
    return " or ".join(dict.fromkeys(kinds))


def _kind_of_alternative(alternative: Json, document: Json) -> str:
    if "const" in alternative:
        return f"`{alternative['const']}`"
    if "enum" in alternative:
        return " or ".join(f"`{it}`" for it in alternative["enum"])
    if alternative.get("type") == "array":
        return f"list of {kind_of(alternative.get('items', {}), document)}"
    if "anyOf" in alternative:
        return kind_of(alternative, document)
    kind = {"date": "date", "date-time": "instant", "uuid": "UUID"}.get(
        alternative.get("format", "")
    )
    return f"{kind or alternative.get('type', 'any JSON')}{_bounds(alternative)}"


def _bounds(alternative: Json) -> str:
    low = alternative.get(
        "minimum", alternative.get("minLength", alternative.get("exclusiveMinimum"))
    )
    high = alternative.get(
        "maximum", alternative.get("maxLength", alternative.get("exclusiveMaximum"))
    )
    unit = " characters" if alternative.get("type") == "string" else ""
    if high is None:
        return f", at least {low:g}{unit}" if low else ""
    return f", {low:g} to {high:g}{unit}" if low is not None else f", at most {high:g}{unit}"
