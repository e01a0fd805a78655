"""Where leads came from until they became known; and leads that were known before this was announced."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.scoring.domain.known import KnownOrigin
from services.scoring.domain.lead import Lead

_IS_TOUCH = "lead_id = requested.lead_id and channel is not null and time <= requested.at"
_LATEST = 'time desc, source collate "C" desc, id collate "C" desc limit 1'
_ORIGINS = text(f"""
    select
        requested.lead_id,
        (
            select source from scoring.events
            where lead_id = requested.lead_id and time = requested.at
            order by source collate "C" limit 1
        ) as source,
        (select channel from scoring.events where {_IS_TOUCH} order by {_LATEST}) as channel,
        (
            select campaign from scoring.events
            where {_IS_TOUCH} and campaign is not null
            order by {_LATEST}
        ) as campaign
    from unnest(cast(:lead_ids as uuid[]), cast(:instants as timestamptz[])) as requested (lead_id, at)
""")  # noqa: S608 - constants


def origins_of(session: Session, leads: Collection[Lead]) -> dict[UUID, KnownOrigin]:
    """Where each of these known leads came from, by the events that are stored."""
    if not leads:
        return {}
    parameters = {
        "lead_ids": [it.id for it in leads],
        "instants": [it.known_at for it in leads],
    }
    return {
        row.lead_id: KnownOrigin(row.source, row.channel, row.campaign)
        for row in session.execute(_ORIGINS, parameters)
    }
