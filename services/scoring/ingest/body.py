"""The JSON of a request's body, and the exact bytes of each event in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson

from shared.http.problems import MalformedBody
from shared.values import loads_exactly, may_hold_nul

_DECODER = json.JSONDecoder()


def parse_body(body: bytes) -> Any:
    """The body's JSON; raises MalformedBody with the position. The caller checks its numbers: `shared.values`.

    NaN, which Python's json writes, and halves of emoji, which JavaScript leaves, are read too, though neither is JSON.
    """
    try:
        return loads_exactly(body) if may_hold_nul(body) else orjson.loads(body)
    except ValueError as error:
        reason = str(error)
        if isinstance(error, json.JSONDecodeError):
            reason = f"{error.msg}, at line {error.lineno}, column {error.colno}"
    try:
        return loads_exactly(body)
    except ValueError:
        raise MalformedBody(f"the body is not JSON: {reason}") from None


def event_bytes(body: bytes, inside: tuple[str, ...]) -> list[bytes]:
    """The bytes of each event: of the list, of the list under one of these names, or the whole body."""
    text = body.decode()
    start: int | None = _skip(text, 0)
    if text[_skip(text, 0)] == "{":
        start = _list_start(text, _skip(text, 0), inside)
    if start is None:
        return [body]
    return [text[begin:end].encode() for begin, end in _elements(text, start)]


def _list_start(text: str, start: int, inside: tuple[str, ...]) -> int | None:
    """Where the last list of one of these names begins in the object; None if there is none."""
    list_start = None
    at = _skip(text, start + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if name in inside and text[at] == "[":
            list_start = at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at, over=",")
    return list_start


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
