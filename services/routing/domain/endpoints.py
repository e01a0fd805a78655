"""The addresses of endpoints, and why a command for an endpoint is refused."""

from __future__ import annotations

import re
from typing import ClassVar, NamedTuple

from services.routing.domain.formats import Format
from shared.errors import Rejected, Unavailable


class Address(NamedTuple):
    """Where webhooks of an endpoint are posted to, and in which format."""

    url: str
    format: Format


class UnknownEndpoint(Rejected):
    """There is no such endpoint."""

    code: ClassVar[str] = "unknown_endpoint"
    status: ClassVar[int] = 404

    def __init__(self, id: str) -> None:
        super().__init__(
            f"no endpoint {id!r}: `leadbaton endpoints list` and GET /v1/endpoints list all endpoints"
        )


class NobodysEndpoint(Rejected):
    """There is no such rep or team, so that nothing would ever be sent to the endpoint."""

    code: ClassVar[str] = "nobodys_endpoint"
    status: ClassVar[int] = 404


class NoAddress(Rejected):
    """The endpoint is new and needs a URL."""

    code: ClassVar[str] = "no_address"


class EndpointIsDisabled(Rejected):
    """The endpoint is disabled, so that nothing can be replayed to it."""

    code: ClassVar[str] = "endpoint_disabled"
    status: ClassVar[int] = 409


class TooManyDeliveries(Rejected):
    """The range has more deliveries than one replay starts."""

    code: ClassVar[str] = "too_many_deliveries"
    status: ClassVar[int] = 409


class JustTested(Unavailable):
    """The endpoint was tested a moment ago."""

    code: ClassVar[str] = "just_tested"
    status: ClassVar[int] = 429
    retry_after_s: ClassVar[int] = 10


_AUTHORITY = re.compile(r"[A-Za-z]+://(?:[^/?#@]*@)?([^/?#]+)")
_USUAL_END = re.compile(r"\.?(:80|:443)?$")


def host_of(url: str) -> str:
    """The URL's host in lower case, with its port where that is neither 80 nor 443: all that is shown of a URL."""
    match = _AUTHORITY.match(url)
    return _USUAL_END.sub("", url if match is None else match[1]).lower()
