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


def class_and_code(error: BaseException) -> str:
    """The error's class, and PostgreSQL's SQLSTATE if it has one: its text may hold what people wrote."""
    cause = getattr(error, "orig", None) or error
    sqlstate = getattr(cause, "sqlstate", None)
    return f"{type(cause).__name__} {sqlstate}" if sqlstate else type(cause).__name__


def loggable(error: BaseException) -> str:
    """What a log may hold of the error: its text only where that is ours, or about the code."""
    match error:
        case LeadbatonError() | AttributeError() | NameError() | ImportError():
            return f"{type(error).__name__}: {error}"
        case OSError(errno=int(), strerror=str()):
            return f"{type(error).__name__}: {error.errno} {error.strerror}"
    return class_and_code(error)
