"""An estimate of the work of evaluating a condition, made beforehand, as CEL cannot be stopped once it runs.

The estimate depends on the source and on the sizes of what it reads, never on the time that anything took: all
processes, and a later replay, come to the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.agreement.cel.read import Call, Kind, Token, calls, chains, content, tokens

MAX_WORK_NS = 50_000_000
"""An evaluation of more work, by the estimate below, is not begun."""
MAX_ROUNDS = 10_000
"""CEL itself gives up after this many rounds of loops."""
_ELEMENT_NS, _CHARACTER_NS, _INSTRUCTION_NS, _ROUND_NS = 150, 10, 2, 1_000
"""Upper bounds, as measured: an element joined to a list, a character compared, a step of a pattern, a round."""
_CHARACTERS_TO_COMPILE = 750
"""Compiling a pattern costs as much as matching it against this many characters."""
_UNKNOWN_PATTERN = 20_000
"""The length of a pattern that is itself a fact: as long as the library allows."""
_MAX_REPETITIONS = 1_000
"""The library refuses patterns that repeat a part more often."""

_LOOPS = frozenset({"all", "exists", "exists_one", "filter", "map"})
_ROOTS = frozenset({"lead", "event", "rep"})
_PATTERN_PART = re.compile(
    r"\\[pP](?:\{[^}]*\}|.)|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|.", re.DOTALL
)
_PART_LENGTHS = {"\\p": 500, "\\P": 500, "[": 20, ".": 20, "\\": 10}


class Size(NamedTuple):
    """The size of values: elements of lists and mappings, and characters of texts."""

    elements: int
    characters: int


@dataclass(frozen=True, slots=True)
class Cost:
    """How the work of a condition grows with the size of what it reads."""

    depth: int
    """The most loops in one another that read everything anew in each of their rounds."""
    loops: int
    """The most loops in one another."""
    growth: int
    """How many times larger than what they read the values may be that loops build."""
    instructions: int
    """The length of all patterns, as programs."""
    literal: Size
    """The size of the lists and texts in the source."""
    reads_facts: bool
    """Whether the condition reads anything besides its own constants."""

    @property
    def is_bounded(self) -> bool:
        """Whether the work is small whatever is read, so that no size need be measured."""
        return self.loops == 0 and self.instructions == 0

    def exceeds(self, facts: Iterable[object]) -> bool:
        """Whether an evaluation that reads these facts may be more work than MAX_WORK_NS."""
        return self.work_ns(size_of(facts)) > MAX_WORK_NS

    def work_ns(self, read: Size) -> int:
        """The work, estimated from above."""
        elements = read.elements + self.literal.elements
        characters = read.characters + self.literal.characters
        rounds: int = min(elements**self.loops, MAX_ROUNDS)
        readings: int = self.growth * min(elements**self.depth, MAX_ROUNDS)
        pattern_steps = self.instructions * (
            readings * characters + rounds * _CHARACTERS_TO_COMPILE
        )
        return (
            rounds * _ROUND_NS
            + readings * (elements * _ELEMENT_NS + characters * _CHARACTER_NS)
            + pattern_steps * _INSTRUCTION_NS
        )


def cost_of(source: str) -> Cost:
    """The cost of a condition, computed from its source."""
    read = tokens(source)
    every_call = list(calls(read))
    loops = list(_loops(every_call))
    known = {it.variable for it in loops} - _ROOTS
    # A body that reads nothing but variables of loops reads, in all rounds of one loop together, everything once.
    depths = [it.depth - _reads_only(known, it.body) for it in loops]
    growth = 1
    for loop in loops:
        growth *= 1 + _count(loop.body, "+")
    return Cost(
        depth=max(depths, default=0),
        loops=max((it.depth for it in loops), default=0),
        growth=growth,
        instructions=sum(_instructions(it) for it in every_call if it.name.text == "matches"),
        literal=Size(1 + _count(read, ",") + _count(read, "["), len(source)),
        reads_facts=not known.issuperset(chain[0] for chain in chains(read)),
    )


class _Loop(NamedTuple):
    variable: str
    body: Sequence[Token]
    depth: int


def _loops(every_call: Sequence[Call]) -> Iterator[_Loop]:
    """The macros that run over a list or a mapping, each with the number of loops that it is in, itself included."""
    loops = [it for it in every_call if it.is_method and it.name.text in _LOOPS]
    for loop in loops:
        depth = sum(1 for it in loops if it.start <= loop.start and loop.end <= it.end)
        variable, *bodies = loop.arguments
        name = variable[0].text if len(variable) == 1 else ""
        yield _Loop(name, [token for body in bodies for token in body], depth)


def _reads_only(names: Set[str], body: Sequence[Token]) -> bool:
    """Whether a body has no other names, and builds no lists or mappings."""
    if _count(body, "[") or _count(body, "{"):
        return False
    return names >= {chain[0] for chain in chains(body)}


def _count(source: Sequence[Token], sign: str) -> int:
    return sum(1 for it in source if it.text == sign)


def _instructions(matches: Call) -> int:
    """The length of the pattern that is matched: of all texts that are joined to it, if it is nothing else."""
    pattern = matches.arguments[-1]
    texts = [content(it) for it in pattern if it.kind is Kind.TEXT]
    if len(texts) + _count(pattern, "+") < len(pattern) or not texts:
        return _UNKNOWN_PATTERN
    return program_length("".join(texts))


def program_length(pattern: str) -> int:
    """An upper bound of the length of a pattern as a program, in which `(ab){3}` is as long as `ababab`."""
    groups, last = [0], 0
    for part in _PATTERN_PART.finditer(pattern):
        if part[1] is not None:
            times = min(int(part[2] or part[1]), _MAX_REPETITIONS)
            groups[-1] += last * max(0, times - 1)
            last *= max(1, times)
        elif part[0] == "(":
            groups.append(0)
        elif part[0] == ")" and len(groups) > 1:
            last = groups.pop() + 1
            groups[-1] += last
        else:
            lengths = (it for start, it in _PART_LENGTHS.items() if part[0].startswith(start))
            last = next(lengths, 1)
            groups[-1] += last
    return sum(groups)


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
