"""Payloads read in a quicker way, which agrees with the slow one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from shared.contracts.topic import P

Q = TypeVar("Q", bound=msgspec.Struct)


def either(quick: type[Q], slow: type[P]) -> Callable[[bytes | str], Q | P]:
    """A reader: of `quick` in a quarter of the time or, where that does not understand what is written, of `slow`.

    So both accept the same, and refuse the same with the same words: the reader raises pydantic's ValidationError.
    """
    decode = msgspec.json.Decoder(quick).decode

    def read(written: bytes | str) -> Q | P:
        try:
            return decode(written)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return slow.model_validate_json(written)

    return read
