"""The one reader of CEL source: its tokens, the names that it reads, and its calls.

The library compiles conditions and checks their types, but it does not say what a condition reads, or how often.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

Chain = tuple[str, ...]
"""A name with the attributes that are read of it: `event.properties.path` in three parts."""


class Kind(StrEnum):
    """What a token is."""

    TEXT = "text"
    """A string or bytes literal, with its prefix and quotes."""
    CONSTANT = "constant"
    """A number, `true`, `false` or `null`."""
    NAME = "name"
    """An identifier, or an attribute in backticks."""
    SIGN = "sign"
    """An operator (`in` is one), a bracket, a dot, a comma, or a character that CEL does not know."""


class Token(NamedTuple):
    """A part of the source that is neither white space nor a comment."""

    kind: Kind
    text: str
    offset: int


class Call(NamedTuple):
    """A call of a function, a method or a macro."""

    name: Token
    is_method: bool
    start: int
    """The number of the first token after the opening bracket."""
    end: int
    """The number of the closing bracket, or of tokens in all if it is not closed."""
    arguments: tuple[Sequence[Token], ...]


_TOKEN = re.compile(
    r"""
    (?P<gap>[ \t\r\n\f]+|//[^\n]*)
  | (?P<text>
        [bB]?[rR](?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n\r]*"|'[^'\n\r]*')
      | [bB]?(?:
            \"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3}
          | "(?:\\.|[^"\\\n\r])*" | '(?:\\.|[^'\\\n\r])*'
        )
    )
  | (?P<constant>0[xX][0-9a-fA-F]+[uU]?|(?:[0-9]*\.)?[0-9]+(?:[eE][+-]?[0-9]+)?[uU]?|(?:true|false|null)\b)
  | (?P<sign>in\b|&&|\|\||[=!<>]=|[^A-Za-z_`]|`(?![^`\n]*`))
  | (?P<name>\w+|`[^`\n]*`)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_OPENING = frozenset("([{")
_CLOSING = frozenset(")]}")


@lru_cache(maxsize=1_000)
def tokens(source: str) -> Sequence[Token]:
    """The tokens of the source, in order. A character that begins none, such as a lone quote, is a sign."""
    return tuple(
        Token(Kind(match.lastgroup), match[0], match.start())
        for match in _TOKEN.finditer(source)
        if match.lastgroup and match.lastgroup != "gap"
    )


def content(text: Token) -> str:
    """What stands between the quotes of a text, its escapes as they are written."""
    quoted = text.text.lstrip("bBrR")
    width = 3 if quoted[:3] in {'"""', "'''"} else 1
    return quoted[width:-width]


def is_selected(source: Sequence[Token], index: int) -> bool:
    """Whether this token is an attribute or a method of the value before it."""
    if index < 2 or source[index - 1].text != ".":
        return False
    return source[index - 2].kind is not Kind.SIGN or source[index - 2].text in _CLOSING


def is_called(source: Sequence[Token], index: int) -> bool:
    """Whether this token is the name of a call."""
    return index + 1 < len(source) and source[index + 1].text == "("


def chains(source: Sequence[Token]) -> Iterator[Chain]:
    """Every name that stands for a value, the variables of macros too, with the attributes that are read of it.

    A method is no attribute: of `event.tags.size()` the chain is `event.tags`.
    """
    for index, token in enumerate(source):
        if token.kind is not Kind.NAME or is_called(source, index) or is_selected(source, index):
            continue
        chain, after = [token.text], index + 1
        while _is_attribute(source, after):
            chain.append(source[after + 1].text.strip("`"))
            after += 2
        yield tuple(chain)


def _is_attribute(source: Sequence[Token], index: int) -> bool:
    """Whether a dot and a name that is not called stand here."""
    if (
        index + 1 >= len(source)
        or source[index].text != "."
        or source[index + 1].kind is not Kind.NAME
    ):
        return False
    return not is_called(source, index + 1)


@lru_cache(maxsize=1_000)
def attributes_read(path: str, *sources: str) -> frozenset[str] | None:
    """The attributes of `path` that the sources read; None if they may read anything else of its first name."""
    parts = tuple(path.split("."))
    read = [it for source in sources for it in chains(tokens(source)) if it[0] == parts[0]]
    if any(len(it) <= len(parts) or it[: len(parts)] != parts for it in read):
        return None
    return frozenset(it[len(parts)] for it in read)


def calls(source: Sequence[Token]) -> Iterator[Call]:
    """Every call, the outer ones before those in their arguments."""
    for index, name in enumerate(source):
        if name.kind is Kind.NAME and is_called(source, index):
            start = index + 2
            commas, end = _commas_and_end(source, start)
            edges = [start - 1, *commas, end]
            arguments = tuple(source[before + 1 : after] for before, after in pairwise(edges))
            yield Call(name, is_selected(source, index), start, end, arguments)


def _commas_and_end(source: Sequence[Token], start: int) -> tuple[list[int], int]:
    """The commas between arguments, and the bracket that closes them."""
    commas: list[int] = []
    depth = 1
    for index in range(start, len(source)):
        text = source[index].text
        depth += (text in _OPENING) - (text in _CLOSING)
        if depth == 0:
            return commas, index
        if depth == 1 and text == ",":
            commas.append(index)
    return commas, len(source)
