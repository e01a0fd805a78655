"""Why a command for an endpoint is refused."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Rejected, Unavailable


class UnknownEndpoint(Rejected):
    """There is no such endpoint."""

    code: ClassVar[str] = "unknown_endpoint"
    status: ClassVar[int] = 404

    def __init__(self, id: str) -> None:
        super().__init__(
            f"no endpoint {id!r}: `leadbaton endpoints list` and GET /v1/endpoints list all endpoints"
        )


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
