"""Parts of conditions that never hold, because no value of one name satisfies all that they ask of it.

Only comparisons with constants are looked at; everything else counts as satisfiable. A comparison of a missing value
is false, so that what no value satisfies never holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from math import inf

from shared.agreement.cel.check import ConditionFault
from shared.agreement.cel.read import Kind, Token, content, tokens

MAX_ALTERNATIVES = 500
"""So many alternatives of one condition are looked at."""
_RANGES = {"fit": (0.0, 100.0), "engagement": (0.0, 100.0)}
"""The least and the greatest value of names that are bounded."""
_MEND = "mend the condition, or delete this part"
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_DEPTHS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}

Value = float | str | bool


@dataclass(frozen=True, slots=True)
class Allowed:
    """The values that a comparison allows: an interval of numbers, or some values."""

    low: float = -inf
    high: float = inf
    open_low: bool = False
    open_high: bool = False
    values: frozenset[Value] | None = None

    def intersection(self, second: Allowed) -> Allowed:
        """The values that both allow."""
        (low, open_low), (high, open_high) = (
            max((self.low, self.open_low), (second.low, second.open_low)),
            min((self.high, not self.open_high), (second.high, not second.open_high)),
        )
        values = self.values if second.values is None else second.values
        if self.values is not None and second.values is not None:
            values = self.values & second.values
        return Allowed(low, high, open_low, not open_high, values)

    def is_empty(self) -> bool:
        """Whether there is no such value."""
        if self.values is not None:
            return not any(map(self._is_inside, self.values))
        is_point = self.low == self.high
        return self.low > self.high or (is_point and (self.open_low or self.open_high))

    def _is_inside(self, value: Value) -> bool:
        if isinstance(value, bool | str):
            return self.low == -inf and self.high == inf
        above = value > self.low or (value == self.low and not self.open_low)
        return above and (value < self.high or (value == self.high and not self.open_high))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a condition asks of one name."""

    name: str
    allowed: Allowed
    text: str
    offset: int


def contradictions(source: str) -> Iterator[ConditionFault]:
    """The parts of a condition, joined by `||`, that never hold, and comparisons that no value satisfies."""
    for part in _split(_unwrapped(tokens(source)), "||"):
        faults: list[ConditionFault] = []
        for comparisons in _limited(_alternatives(part)):
            fault = _contradiction(comparisons)
            if fault is None:
                break
            faults.append(fault)
        else:
            yield faults[0]


def _contradiction(comparisons: Sequence[Comparison]) -> ConditionFault | None:
    """Why these comparisons cannot all hold; None if they may."""
    for comparison in comparisons:
        bounds = _RANGES.get(comparison.name)
        if bounds and comparison.allowed.intersection(Allowed(*bounds)).is_empty():
            reason = f"`{comparison.name}` is from {bounds[0]:g} to {bounds[1]:g}"
            message = f"`{comparison.text}` never holds: {reason}; {_MEND}"
            return ConditionFault(comparison.offset, message)
    for first, second in combinations(comparisons, 2):
        if first.name == second.name and first.allowed.intersection(second.allowed).is_empty():
            message = f"`{first.text}` and `{second.text}` never hold together; {_MEND}"
            return ConditionFault(second.offset, message)
    return None


def _alternatives(source: Sequence[Token]) -> Iterator[tuple[Comparison, ...]]:
    """The comparisons of each way in which the source may hold; names in other expressions are left out."""
    source = _unwrapped(source)
    parts = list(_split(source, "||"))
    if len(parts) > 1:
        for part in parts:
            yield from _alternatives(part)
        return
    yield from _joined(list(_split(source, "&&")))


def _joined(parts: Sequence[Sequence[Token]]) -> Iterator[tuple[Comparison, ...]]:
    if len(parts) == 1:
        comparison = _comparison(parts[0])
        yield (comparison,) if comparison else ()
        return
    first, *rest = parts
    heads = _limited(_alternatives(first))
    for tail in _joined(rest) if len(rest) > 1 else _alternatives(rest[0]):
        for head in heads:
            yield head + tail


def _limited(
    alternatives: Iterator[tuple[Comparison, ...]],
) -> Sequence[tuple[Comparison, ...]]:
    """The alternatives; where there are too many of them, a single one that may hold."""
    first = list(islice(alternatives, MAX_ALTERNATIVES + 1))
    return first if len(first) <= MAX_ALTERNATIVES else [()]


def _split(source: Sequence[Token], sign: str) -> Iterator[Sequence[Token]]:
    """The parts between the signs outside of brackets; the whole where a `?` decides between parts."""
    depth, start, parts = 0, 0, []
    for at, token in enumerate(source):
        depth += _DEPTHS.get(token.text, 0) if token.kind is Kind.SIGN else 0
        if depth == 0 and token.text == "?":
            yield source
            return
        if depth == 0 and token.text == sign:
            parts.append(source[start:at])
            start = at + 1
    yield from [*parts, source[start:]]


def _unwrapped(source: Sequence[Token]) -> Sequence[Token]:
    """The source without brackets around all of it."""
    while len(source) > 2 and source[0].text == "(" and source[-1].text == ")":
        depth = 0
        for token in source[:-1]:
            depth += _DEPTHS.get(token.text, 0) if token.kind is Kind.SIGN else 0
            if depth == 0:
                return source
        source = source[1:-1]
    return source


def _comparison(source: Sequence[Token]) -> Comparison | None:
    """The comparison of a name with a constant that the source is, or None."""
    text = _text(source)
    if len(source) > 1 and source[0].text == "!" and (name := _name(source[1:])):
        return Comparison(name, Allowed(values=frozenset([False])), text, source[0].offset)
    if name := _name(source):
        return Comparison(name, Allowed(values=frozenset([True])), text, source[0].offset)
    for at, token in enumerate(source):
        if token.kind is Kind.SIGN and token.text in {*_MIRRORED, "in"}:
            allowed = _compared(source[:at], token.text, source[at + 1 :])
            return Comparison(*allowed, text, source[0].offset) if allowed else None
    return None


def _compared(
    left: Sequence[Token], sign: str, right: Sequence[Token]
) -> tuple[str, Allowed] | None:
    if sign == "in":
        name, values = _name(left), _constants(right)
        return (name, Allowed(values=frozenset(values))) if name and values else None
    for names, constant, comparison in ((left, right, sign), (right, left, _MIRRORED[sign])):
        name, value = _name(names), _constant(constant)
        if name and value is not None:
            allowed = _allowed(comparison, value)
            return (name, allowed) if allowed else None
    return None


def _allowed(sign: str, value: Value) -> Allowed | None:
    if sign == "==":
        return Allowed(values=frozenset([value]))
    if not isinstance(value, float):
        return None
    is_open = len(sign) == 1
    if sign.startswith(">"):
        return Allowed(low=value, open_low=is_open)
    return Allowed(high=value, open_high=is_open)


def _name(source: Sequence[Token]) -> str | None:
    """The name with its attributes that the source is, such as `lead.country`."""
    names, dots = source[::2], source[1::2]
    is_name = len(source) % 2 == 1 and all(it.kind is Kind.NAME for it in names)
    return _text(source) if is_name and all(it.text == "." for it in dots) else None


def _constants(source: Sequence[Token]) -> list[Value] | None:
    """The constants of a list of constants."""
    if len(source) < 3 or source[0].text != "[" or source[-1].text != "]":
        return None
    values = [_constant(it) for it in _split(source[1:-1], ",")]
    return [it for it in values if it is not None] if None not in values else None


def _constant(source: Sequence[Token]) -> Value | None:
    if len(source) == 2 and source[0].text == "-" and source[1].kind is Kind.CONSTANT:
        value = _constant(source[1:])
        return -value if isinstance(value, float) else None
    if len(source) != 1:
        return None
    token = source[0]
    if token.kind is Kind.TEXT:
        return content(token) if "\\" not in token.text else None
    if token.text in {"true", "false"}:
        return token.text == "true"
    try:
        return float(token.text.rstrip("uU")) if token.kind is Kind.CONSTANT else None
    except ValueError:
        return None


def _text(source: Sequence[Token]) -> str:
    """The source as it would be written by most people."""
    words = "".join(
        it.text if it.text in {".", "[", "]", ","} or it.kind is not Kind.SIGN else f" {it.text} "
        for it in source
    )
    return words.replace(",", ", ").replace("  ", " ").strip().replace("! ", "!").replace("- ", "-")
