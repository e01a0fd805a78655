"""Traits in one notation: without blanks at the ends of texts, and without objects for companies and addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.scoring.domain.identifiers import trimmed
from shared.agreement.event_types import snake_case

OBJECTS = ("company", "address")
"""Segment reserves these traits for objects. Each of their fields becomes a trait: `company_industry`."""


def normal_traits(traits: Mapping[str, Any]) -> dict[str, Any]:
    """The traits, texts without blanks and invisible characters at their ends, the fields of objects as traits.

    `company: {name: Acme, industry: software}` becomes `company_name`, `company_industry`, and `company` with the name;
    `address: {city: Berlin}` becomes `address_city`. A trait that was sent under such a name wins.
    """
    normal: dict[str, Any] = {}
    for name, value in traits.items():
        if type(value) is dict and name in OBJECTS:
            normal = {**dict(_fields(name, value)), **normal}
        else:
            normal[name] = _trimmed(value)
    return normal


def _fields(name: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of an object as traits."""
    if name == "company" and isinstance(value.get("name"), str):
        yield name, trimmed(value["name"])
    for field, content in value.items():
        if snake_case(field):
            yield f"{name}_{snake_case(field)}", _trimmed(content)


def _trimmed(value: Any) -> Any:
    """The value, a text or the texts of a list without blanks at their ends."""
    if type(value) is str:
        return trimmed(value)
    if type(value) is list:
        return [trimmed(it) if type(it) is str else it for it in value]
    return value
