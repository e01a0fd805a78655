"""The two kinds of error: what will stay wrong, and what will pass."""

from __future__ import annotations

from typing import ClassVar


class LeadbatonError(Exception):
    """An instruction to whoever reads it: what is wrong, where, and how to mend it."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Rejected(LeadbatonError):
    """The input is wrong and will stay wrong: HTTP 4xx, or straight to the dead letters."""

    code: ClassVar[str] = "rejected"
    status: ClassVar[int] = 422


class Unavailable(LeadbatonError):
    """Something that we need is away for a while: HTTP 503 with Retry-After, or the batch waits."""

    code: ClassVar[str] = "unavailable"
    status: ClassVar[int] = 503
    retry_after_s: ClassVar[int] = 5
