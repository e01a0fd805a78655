"""How much work a condition may be with the facts at hand: CEL cannot be stopped once it runs, so it is asked before.

The work depends on the source and on the sizes of what it reads, never on the time that it took: all processes, and a
later replay, come to the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.agreement.cel.cache import LITERAL, bare
from shared.agreement.cel.patterns import program_length

MAX_WORK_NS = 50_000_000
"""So much work, by the estimate below, one evaluation may be; what would be more is not begun."""
MAX_ROUNDS = 10_000
"""After so many rounds of its loops CEL itself gives up."""
_ELEMENT_NS, _CHARACTER_NS, _INSTRUCTION_NS, _ROUND_NS = 150, 10, 2, 1_000
"""What each costs at most, as measured: an element joined to a list, a character compared, a step of a pattern."""
_TO_COMPILE = 750
"""To make a pattern ready costs as much as to hold it against so many characters."""
_UNKNOWN_PATTERN = 20_000
"""A pattern that is itself a fact may be as long as the library allows."""

_LOOP = re.compile(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(")
_MATCHES = re.compile(r"\bmatches\s*\((?:[^()]*,)?\s*")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*\b(?!\s*\()")
_WORDS = frozenset({"true", "false", "null", "in"})
_ROOTS = frozenset({"lead", "event", "rep"})


class Size(NamedTuple):
    """How much there is to read: elements of lists and mappings, and characters of texts."""

    elements: int
    characters: int


@dataclass(frozen=True, slots=True)
class Cost:
    """How the work grows with what is read."""

    depth: int
    """So many times, at most, all of it is read anew for each of its elements."""
    loops: int
    """So deep loops stand in loops; 0: there are none."""
    growth: int
    """So many times larger what loops build may be than what they read."""
    instructions: int
    """The length of all patterns, as programs."""
    literal: Size
    """What the source itself brings along."""
    asks_facts: bool
    """Whether it reads anything besides."""

    @property
    def is_bounded(self) -> bool:
        """Whether the work is little whatever is read, so that nothing need be measured."""
        return self.loops == 0 and self.instructions == 0

    def exceeds(self, facts: Iterable[object]) -> bool:
        """Whether an evaluation that reads these facts may be more work than is done for one."""
        return self.work_ns(size_of(facts)) > MAX_WORK_NS

    def work_ns(self, read: Size) -> int:
        """The work, estimated from above."""
        elements = read.elements + self.literal.elements
        characters = read.characters + self.literal.characters
        rounds: int = min(elements**self.loops, MAX_ROUNDS)
        again: int = self.growth * min(elements**self.depth, MAX_ROUNDS)
        patterns = self.instructions * (again * characters + rounds * _TO_COMPILE)
        return (
            rounds * _ROUND_NS
            + again * (elements * _ELEMENT_NS + characters * _CHARACTER_NS)
            + patterns * _INSTRUCTION_NS
        )


def cost_of(source: str) -> Cost:
    """The cost of a condition, read off its text."""
    text = bare(source)
    loops = list(_loops(text))
    variables = {it.variable for it in loops} - _ROOTS
    known = variables | _WORDS
    # A body that reads nothing but variables of loops reads, in all rounds of one loop together, everything once.
    depths = [it.depth - _reads_only(known, it.body) for it in loops]
    growth = 1
    for loop in loops:
        growth *= 1 + loop.body.count("+")
    return Cost(
        depth=max(depths, default=0),
        loops=max((it.depth for it in loops), default=0),
        growth=growth,
        instructions=sum(_instructions(source, text)),
        literal=Size(1 + text.count(",") + text.count("["), len(source)),
        asks_facts=not known.issuperset(_NAME.findall(text)),
    )


def _reads_only(names: Set[str], body: str) -> bool:
    return set(_NAME.findall(body)) <= names and not {"[", "{"} & set(body)


class _Loop(NamedTuple):
    variable: str
    body: str
    depth: int


def _loops(text: str) -> Iterator[_Loop]:
    spans = [(it.end(), _closing(text, it.end())) for it in _LOOP.finditer(text)]
    for start, end in spans:
        variable, _, body = text[start:end].partition(",")
        yield _Loop(variable.strip(), body, sum(1 for a, b in spans if a <= start and end <= b))


def _closing(text: str, start: int) -> int:
    """Where the bracket closes that opened before `start`."""
    depth = 1
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return len(text)


def _instructions(source: str, text: str) -> Iterator[int]:
    for call in _MATCHES.finditer(text):
        pattern = LITERAL.match(source, call.end())
        yield program_length(pattern[0]) if pattern else _UNKNOWN_PATTERN


def size_of(facts: Iterable[object]) -> Size:
    """The size of all of them together, at any depth."""
    elements = characters = 0
    waiting: list[Any] = list(facts)
    while waiting:
        value = waiting.pop()
        elements += 1
        if isinstance(value, str):
            characters += len(value)
        elif isinstance(value, Mapping):
            characters += sum(map(len, map(str, value)))
            waiting.extend(value.values())
        elif isinstance(value, Sequence | Set):
            waiting.extend(value)
    return Size(elements, characters)
