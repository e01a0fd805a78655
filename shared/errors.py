"""The two kinds of errors: those that recur, and those after which a later attempt may succeed."""

from __future__ import annotations

from typing import ClassVar


class LeadbatonError(Exception):
    """An error whose message says what is wrong, where, and how to correct it."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Rejected(LeadbatonError):
    """The input is invalid and always will be: HTTP 4xx, or a dead letter at once."""

    code: ClassVar[str] = "rejected"
    status: ClassVar[int] = 422


class Unavailable(LeadbatonError):
    """A server that is needed does not respond: HTTP 503 with Retry-After, or the batch waits."""

    code: ClassVar[str] = "unavailable"
    status: ClassVar[int] = 503
    retry_after_s: ClassVar[int] = 5


def class_and_code(error: BaseException) -> str:
    """The class of the error and its SQLSTATE, if it has one, without its text, which may hold personal data."""
    cause = getattr(error, "orig", None) or error
    sqlstate = getattr(cause, "sqlstate", None)
    return f"{type(cause).__name__} {sqlstate}" if sqlstate else type(cause).__name__


def loggable(error: BaseException) -> str:
    """The error for a log line, with its text only where that is Leadbaton's own or about code."""
    match error:
        case LeadbatonError() | AttributeError() | NameError() | ImportError():
            return f"{type(error).__name__}: {error}"
        case OSError(errno=int(), strerror=str()):
            return f"{type(error).__name__}: {error.errno} {error.strerror}"
    return class_and_code(error)
