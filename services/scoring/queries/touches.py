"""Touches of leads in the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.scoring.domain.touches import FIRST, LAST, TouchHistory, TouchPeriod, touch_id
from shared.contracts.touches import MarketingTouch

_REQUESTED = """
    with requested as (
        select * from unnest(cast(:lead_ids as uuid[]), cast(:ends as timestamptz[])) as it (lead_id, at)
    )
"""
_IS_TOUCH = "lead_id = requested.lead_id and channel is not null and time <= requested.at"
_COLUMNS = "source, id, type, time, channel, campaign"

_TOUCHES = text(f"""
    {_REQUESTED}
    select requested.lead_id, requested.at, {_COLUMNS}
    from requested, lateral (
        (
            select {_COLUMNS} from scoring.events where {_IS_TOUCH}
            order by time, source collate "C", id collate "C" limit {FIRST}
        )
        union
        (
            select {_COLUMNS} from scoring.events where {_IS_TOUCH}
            order by time desc, source collate "C" desc, id collate "C" desc limit {LAST}
        )
    ) as kept
    order by time, source collate "C", id collate "C"
""")  # noqa: S608 - constants
_TOTALS = text(f"""
    {_REQUESTED}
    select
        requested.lead_id,
        requested.at,
        (select count(*) from scoring.events where {_IS_TOUCH}) as touches,
        (
            select time from scoring.events
            where lead_id = requested.lead_id and (
                payload -> 'identity' ->> 'email' is not null
                or payload -> 'identity' ->> 'user_id' is not null
                or payload -> 'identity' ->> 'phone' is not null
            )
            order by time limit 1
        ) as known_at
    from requested
""")  # noqa: S608 - constants


def touches_of(
    session: Session, periods: Collection[TouchPeriod]
) -> dict[TouchPeriod, TouchHistory]:
    """The first and the last touches in each period.

    At most FIRST + LAST touches are read. The others are counted in their index; and of the lead's events those before
    the first that names a person are read, which are few for most leads.
    """
    if not periods:
        return {}
    ends = {(it.lead_id, it.ends_at) for it in periods}
    parameters = {"lead_ids": [it for it, _ in ends], "ends": [it for _, it in ends]}
    touches = _touches(session, parameters)
    histories = {}
    for row in session.execute(_TOTALS, parameters):
        kept = touches[row.lead_id, row.at]
        histories[row.lead_id, row.at] = TouchHistory(
            tuple(kept), row.touches - len(kept), row.known_at
        )
    return {it: histories[it.lead_id, it.ends_at] for it in periods}


def _touches(
    session: Session, parameters: Mapping[str, Any]
) -> dict[tuple[UUID, datetime], list[MarketingTouch]]:
    """The touches that are kept, by the lead and the instant that were requested, in the order of events."""
    touches: dict[tuple[UUID, datetime], list[MarketingTouch]] = defaultdict(list)
    for row in session.execute(_TOUCHES, parameters):
        touch = MarketingTouch(
            id=touch_id(row.source, row.id),
            occurred_at=row.time,
            channel=row.channel,
            campaign=row.campaign,
            source=row.source,
            type=row.type,
        )
        touches[row.lead_id, row.at].append(touch)
    return touches
