"""JSON as clients really send it, and the exact bytes of each event in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import orjson

from shared.http.problems import MalformedBody

_DECODER = json.JSONDecoder()
_REPLACED = "�"


def read(body: bytes) -> Any:
    """The body's JSON; raises MalformedBody with the place.

    Python's json writes NaN, and JavaScript cuts emoji in two: neither is JSON, but no reason to lose a batch.
    """
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as strict:
        try:
            return _cleaned(json.loads(body))
        except (ValueError, RecursionError):
            raise MalformedBody(
                f"the body is not JSON: {strict.msg}, at line {strict.lineno}, column {strict.colno}"
            ) from None
    return _cleaned(said) if b"\\u0000" in body else said


def pieces(body: bytes, inside: tuple[str, ...]) -> list[bytes]:
    """Each event's own bytes: of the list, of the list under one of these names, or of the whole."""
    text = body.decode()
    start: int | None = _skip(text, 0)
    if text[_skip(text, 0)] == "{":
        start = _place_of_list(text, _skip(text, 0), inside)
    if start is None:
        return [body]
    return [text[begin:end].encode() for begin, end in _elements(text, start)]


def _cleaned(said: Any) -> Any:
    """Without what no database keeps: NaN, halves of characters, the character zero."""
    match said:
        case dict():
            return {_text(name): _cleaned(value) for name, value in said.items()}
        case list():
            return [_cleaned(value) for value in said]
        case str():
            return _text(said)
        case float() if not math.isfinite(said):
            return None
    return said


def _text(said: str) -> str:
    return said.encode("utf-8", "replace").decode().replace("\0", _REPLACED)


def _place_of_list(text: str, start: int, inside: tuple[str, ...]) -> int | None:
    """Where the last list of one of these names begins in the object; None if there is none."""
    found = None
    at = _skip(text, start + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if name in inside and text[at] == "[":
            found = at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at, over=",")
    return found


def _elements(text: str, start: int) -> Iterator[tuple[int, int]]:
    at = _skip(text, start + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield at, end
        at = _skip(text, end, over=",")


def _skip(text: str, at: int, over: str = "") -> int:
    while text[at] in " \t\n\r" + over:
        at += 1
    return at
