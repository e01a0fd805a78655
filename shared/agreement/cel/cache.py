"""Answers to conditions, kept by the values that the conditions read of the facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from shared.agreement.cel.read import Chain, chains, tokens

T = TypeVar("T")

MAX_ANSWERS = 20_000
"""A cache with this many answers is emptied before the next one is added."""
MAX_CHARACTERS = 500
"""Longer texts and lists are not part of keys: they seldom repeat, and senders could fill the memory with them."""
ABSENT = object()
"""The value of an attribute that is not there."""
_SIMPLE = frozenset({int, bool, type(None), object})

Key = tuple[Any, ...]


class AnswerCache:
    """Keeps answers by the values that the sources read.

    Every chain of names in the sources is read of the facts as far as it goes; where `a` is read, `a.b` need not be.
    A chain that is no fact in this context, such as the variable of a macro, only makes equal keys rarer. The answer
    is not kept where a chain ends at anything but a simple value or a short list of texts: at a mapping that is
    read by a computed key, or at a number with a fraction, which seldom repeats.
    """

    def __init__(self, *sources: str, limit: int = MAX_ANSWERS) -> None:
        read = sorted({chain for source in sources for chain in chains(tokens(source))})
        self._chains = [
            it for it in read if not any(it[:length] in read for length in range(1, len(it)))
        ]
        self._chains_by_names: dict[tuple[str, ...], list[Chain]] = {}
        self._answers: dict[Key, Any] = {}
        self._limit = limit

    def recall(self, facts: Mapping[str, Any], compute: Callable[[], T]) -> T:
        """The answer for these facts: the one that is kept, or what `compute` returns."""
        key = self._key(facts)
        if key is None:
            return compute()
        if key in self._answers:
            answer: T = self._answers[key]
            return answer
        if len(self._answers) >= self._limit:
            self._answers.clear()
        computed = self._answers[key] = compute()
        return computed

    def values(self, facts: Mapping[str, Any]) -> Iterator[Any]:
        """The values at the ends of the chains."""
        for chain in self._chains_of(tuple(facts)):
            value: Any = facts
            for name in chain:
                if not isinstance(value, Mapping):
                    break
                value = value.get(name)
            yield value

    def _key(self, facts: Mapping[str, Any]) -> Key | None:
        """Each value with its type, as True equals 1; None if one of them cannot be in a key."""
        key = []
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
                if len(value) > MAX_CHARACTERS:
                    return None
            elif kind not in _SIMPLE and not (kind is float and value.is_integer()):
                return None
            key.append(value)
            key.append(type(value))
        return tuple(key)

    def _chains_of(self, names: tuple[str, ...]) -> list[Chain]:
        """The chains that begin with one of the names."""
        if names not in self._chains_by_names:
            self._chains_by_names[names] = [it for it in self._chains if it[0] in names]
        return self._chains_by_names[names]


def _is_short(values: Sequence[object]) -> bool:
    """Whether all of these are texts, with few characters in all."""
    length = 0
    for value in values:
        if type(value) is not str:
            return False
        length += 1 + len(value)
    return length <= MAX_CHARACTERS
