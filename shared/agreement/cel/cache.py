"""What conditions read of the facts: the same values, the same answer, so that it need not be worked out again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

MAX = 20_000
"""So many answers are remembered of one place; then it begins anew."""
ABSENT = object()
MAX_REMEMBERED = 500
"""Texts and lists of more characters are not remembered: they seldom come twice, and would fill the memory."""
LITERAL = re.compile(
    r"""[rR]?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"|//[^\n]*",
    re.DOTALL,
)
"""A text in the source of a condition, or a comment."""
_CHAIN = re.compile(r"(?<!\w)[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*\b(?!\s*\())*")
"""A name with all that is asked of it, without what is called on it: `event.tags` of `event.tags.size()`."""
_SIMPLE = frozenset({int, bool, type(None), object})

Read = tuple[Any, ...]


def bare(source: str) -> str:
    """Without the insides of text and comments, every character in its place."""
    return LITERAL.sub(lambda it: it[0][0] + " " * (len(it[0]) - 2) + it[0][-1], source)


def attributes_read(source: str, of: str) -> frozenset[str] | None:
    """Which attributes of this name the source may read; None: perhaps any."""
    chains = [[it.strip() for it in chain.split(".")] for chain in _CHAIN.findall(source)]
    read = [chain for chain in chains if chain[0] == of]
    if any(len(chain) < 2 for chain in read):
        return None
    return frozenset(chain[1] for chain in read)


class Memory:
    """Answers by what was read for them.

    Every name in the sources is followed as far as its dots go, whatever it means there: what is read too much only
    makes an answer harder to find again; where `a` is asked for, `a.b` need not be read. Where that ends at more than
    a simple value or a list of words, as at a map that is asked by a computed key, or at a number with a fraction,
    which seldom comes twice, nothing is remembered.
    """

    def __init__(self, *sources: str, limit: int = MAX) -> None:
        chains = {part for source in sources for part in _CHAIN.findall(source)}
        told = [tuple(map(str.strip, chain.split("."))) for chain in sorted(chains)]
        self._chains = [
            it for it in told if not any(it[:length] in told for length in range(1, len(it)))
        ]
        self._chains_into: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        self._answers: dict[Read, Any] = {}
        self._most = limit

    def recall(self, facts: Mapping[str, Any], work_out: Callable[[], T]) -> T:
        """The answer for these facts, as it was or as it is worked out now."""
        key = self._read(facts)
        if key is None:
            return work_out()
        if key in self._answers:
            known: T = self._answers[key]
            return known
        if len(self._answers) >= self._most:
            self._answers.clear()
        answer = self._answers[key] = work_out()
        return answer

    def _read(self, facts: Mapping[str, Any]) -> Read | None:
        read = []
        for chain in self._chains_of(tuple(facts)):
            value: Any = facts
            for name in chain:
                if type(value) is not dict:
                    break
                value = value.get(name, ABSENT)
            kind = type(value)
            if kind is list and _is_short(value):
                value = tuple(value)
            elif kind is str:
                if len(value) > MAX_REMEMBERED:
                    return None
            elif kind not in _SIMPLE and not (kind is float and value.is_integer()):
                return None
            read.append(value)
            read.append(type(value))
        return tuple(read)

    def _chains_of(self, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        """The chains that begin with one of the names, and not in the middle of a text."""
        if names not in self._chains_into:
            self._chains_into[names] = [chain for chain in self._chains if chain[0] in names]
        return self._chains_into[names]

    def values(self, facts: Mapping[str, Any]) -> Iterator[Any]:
        """What is read of the facts, as far as the names go."""
        for chain in self._chains_of(tuple(facts)):
            value: Any = facts
            for name in chain:
                if not isinstance(value, Mapping):
                    break
                value = value.get(name)
            yield value


def _is_short(words: Sequence[object]) -> bool:
    """Whether these are texts, and few characters in all."""
    length = 0
    for it in words:
        if type(it) is not str:
            return False
        length += 1 + len(it)
    return length <= MAX_REMEMBERED
