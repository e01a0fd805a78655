"""The reference of the agreement in Markdown, made from its models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from enum import Enum
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.agreement.cel.condition import Condition
from shared.agreement.contexts import condition_fields, lead_names
from shared.agreement.model import Agreement
from shared.documents.limits import AtMost, Between

_HEAD = """\
# The agreement, field by field

One YAML file says what marketing and sales promised each other; [examples/agreement.yaml](../examples/agreement.yaml)
is an example. `leadbaton agreement check FILE` shows every fault with line and column, `leadbaton agreement publish
FILE` makes it the version in force. Published versions never change. A field that is not on this page is a fault.

YAML is read as version 1.2 reads it: `on`, `yes` and `NO` are text. Aliases, tags and repeated keys are faults.
Durations are a number and a unit: `90s`, `15m`, `4h`, `30d`. Every field has a bound, shown beside it: characters of a
text, entries of a list or mapping. A condition has at most 2,000 characters. A version that was published before
a bound was introduced stays in force; its numbers beyond the bound count as the bound.

## Conditions

`when` and `match` are [CEL](https://cel.dev) and are checked when the file is: names, types, patterns. At run time a
condition that reads a missing value, or one of another kind, is **false**, never an error; so is its negation.
`has(lead.x)` asks whether a value is there. `a || b` is true as soon as one side is, whatever the other side lacks.
A condition is also false when its evaluation fails in any other way, or would be more than about 50 ms of work (a list
read again for each element of a list, a long pattern matched against a long text). Such failures are counted by rule in
the metric `leadbaton_condition_failures_total`, and `leadbaton doctor` shows it.

- Declared numbers compare with whole and other numbers (`lead.employees > 5`). For arithmetic write `2.0`, not `2`.
- Values are converted to the declared type: `"70"` to a number, `"true"` to a boolean, `5` to text, one text to a list
  of one. A value that cannot be converted, and blank text, count as missing.
- Properties of events are as they were sent. `event.path` is the path of the event's page without query, fragment and
  a slash at its end, however the sender writes `properties.path` (or `url`, or `context.page`): write
  `event.path == "/pricing"`. `event.url` has its host in lower case.
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([_HEAD + "\n".join(_contexts()), "", *_sections(Agreement)])


def _contexts() -> Iterator[str]:
    fields = condition_fields((("lead.<trait>", "as declared"), *lead_names({})))
    yield "| where | names that it may read |"
    yield "|---|---|"
    for section, part, field, names in fields:
        roots = dict.fromkeys(name.partition(".")[0] for name, _ in names)
        yield f"| `{section}.{part}`, `{field}` | {', '.join(f'`{it}`' for it in roots)} |"
    yield "\n| name | is |"
    yield "|---|---|"
    for name, kind in {name: kind for *_, names in fields for name, kind in names}.items():
        yield f"| `{name}` | {_CEL.get(kind, kind)} |"


_CEL = {
    "string": "text",
    "double": "number",
    "bool": "true or false",
    "list<string>": "list",
    "map<string, dyn>": "mapping",
}


def _sections(first: type[BaseModel]) -> Iterator[str]:
    """Each section once, in the order of the file."""
    yield from _section(first)
    for field in first.model_fields.values():
        for inner in _within(field.annotation):
            yield from _sections(inner)


def _section(section: type[BaseModel]) -> Iterator[str]:
    yield f"## {section.__name__}\n"
    yield f"{section.__doc__}\n"
    yield "| field | is | by default | |"
    yield "|---|---|---|---|"
    for name, field in section.model_fields.items():
        cells = (f"`{name}`", _kind(field.annotation) + _bounds(field.metadata), _default(field))
        yield f"| {' | '.join(cells)} | {field.description or ''} |"
    yield ""


def _within(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for argument in get_args(kind):
        yield from _within(argument)


_WORDS: dict[Any, str] = {
    str: "text",
    float: "number",
    int: "whole number",
    bool: "true or false",
    date: "date",
    timedelta: "duration",
    Condition: "condition",
}


def _kind(kind: Any) -> str:
    if kind in _WORDS:
        return _WORDS[kind]
    if not isinstance(kind, type) or get_origin(kind):
        return _composed(get_origin(kind), [it for it in get_args(kind) if it is not NoneType])
    if issubclass(kind, Enum):
        return _choice([it.value for it in kind])
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


def _composed(origin: Any, inner: list[Any]) -> str:
    if origin is Annotated:
        kind, *metadata = inner
        bounds = _bounds(metadata).removeprefix(", ")
        return f"{_kind(kind)} ({bounds})" if bounds else _kind(kind)
    if origin is Literal:
        return _choice(inner)
    if origin is dict:
        return f"mapping of {_kind(inner[0])} to {_kind(inner[1])}"
    if origin is tuple:
        many = "list of" if Ellipsis in inner else f"list of {len(inner)}:"
        return f"{many} {_kind(inner[0])}"
    return _kind(inner[0])


def _choice(values: list[Any]) -> str:
    return " or ".join(f"`{it}`" for it in values)


def _bounds(metadata: Sequence[Any]) -> str:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    bounds = []
    for constraint in metadata:
        if isinstance(constraint, Between | AtMost):
            bounds.append(str(constraint))
        elif isinstance(constraint, FieldInfo):
            bounds += filter(None, [_bounds(constraint.metadata).removeprefix(", ")])
        bounds += [
            f"{sign} {getattr(constraint, name):g}"
            for name, sign in signs.items()
            if getattr(constraint, name, None) is not None
        ]
    return f", {', '.join(bounds)}" if bounds else ""


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    match default:
        case _ if field.is_required():
            return "**required**"
        case None:
            return ""
        case timedelta():
            return f"`{_duration(default)}`"
        case BaseModel() | dict() | ():
            return ""
        case tuple():
            return "`" + ", ".join(_plain(it) for it in default) + "`"
        case _:
            return f"`{_plain(default)}`"


def _plain(value: object) -> str:
    if isinstance(value, BaseModel):
        fields = value.model_dump(exclude_unset=True)
        return ", ".join(f"{name}: {_plain(it)}" for name, it in fields.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _duration(length: timedelta) -> str:
    return f"{length.days}d" if length.days else f"{length.seconds}s"
