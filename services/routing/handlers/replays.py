"""The replay of a range: deliveries that were delivered, or given up, are sent to their endpoint again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain.endpoints import (
    EndpointIsDisabled,
    TooManyDeliveries,
    UnknownEndpoint,
)
from services.routing.queries import deliveries, endpoints
from services.routing.queries.deliveries import ReplayRange

MAX_REPLAYED = 10_000
"""How many deliveries one replay starts."""


def replay(
    session: Session,
    replay_range: ReplayRange,
    *,
    only_count: bool,
    now: datetime,
    limit: int = MAX_REPLAYED,
) -> int:
    """Start the attempts of the range's deliveries anew, or only count them; returns how many there are.

    Those that are pending are on their way already and stay as they are; cancelled ones are no longer needed.
    Raises UnknownEndpoint, EndpointIsDisabled or TooManyDeliveries.
    """
    endpoint = endpoints.find_endpoint(session, replay_range.endpoint)
    if endpoint is None:
        raise UnknownEndpoint(replay_range.endpoint)
    if endpoint.state == "disabled":
        raise EndpointIsDisabled(
            f"endpoint {endpoint.id} is disabled ({endpoint.disabled_reason}): "
            f"enable it with POST /v1/endpoints/{endpoint.id}/enable, then replay"
        )
    ids = deliveries.locked_replayable(session, replay_range, limit=limit + 1)
    if len(ids) > limit:
        raise TooManyDeliveries(
            f"the range has more than {limit} deliveries: narrow `since` and `until`"
        )

    if ids and not only_count:
        deliveries.redeliver_all(session, ids, now=now)
    return len(ids)
