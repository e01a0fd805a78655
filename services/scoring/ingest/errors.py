"""The errors for which an event or a request is refused. One event's refusal leaves the events beside it accepted."""

from __future__ import annotations

from pydantic import ValidationError

from shared.errors import Rejected, Unavailable
from shared.text import fault_text


class InvalidEvent(Rejected):
    """A field is missing, of the wrong type, or has an impossible value."""

    code = "invalid_event"


class NoIdentity(Rejected):
    """The event has no valid identifier."""

    code = "no_identity"

    def __init__(self) -> None:
        super().__init__(
            "the event has no valid identifier: send an e-mail, a user id, an anonymous id or a phone number "
            "(`null`, `undefined`, `0`, `anonymous` and the like are none)"
        )


class OversizedEvent(Rejected):
    """The event is larger than this API takes."""

    code = "event_too_large"


class TooDeep(Rejected):
    """The event's objects are nested too deeply."""

    code = "event_too_deep"

    def __init__(self) -> None:
        super().__init__("the event's objects are nested too deeply: flatten them")


class TooManyEvents(Rejected):
    """More events in one request than this API takes."""

    code = "too_many_events"
    status = 413


class OriginNotAllowed(Rejected):
    """A browser sent the request from a site that the key does not list."""

    code = "origin_not_allowed"
    status = 403


class RateLimited(Unavailable):
    """The key sends faster than it may."""

    code = "rate_limited"
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(f"this key sends faster than it may: go on in {seconds} s")
        self.seconds = seconds


class NowhereToPut(Unavailable):
    """Neither Kafka nor the database takes the events: nothing of this request was accepted."""

    code = "nowhere_to_put"
    retry_after_s = 2


def first_fault(error: ValidationError) -> InvalidEvent:
    """The first fault that pydantic reports, in one line, without the value, which may be personal."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(map(str, fault["loc"])) or "event"
    return InvalidEvent(f"{where}: {fault_text(fault['msg'])}")
