"""Leads that marketing knows, as scoring announced them last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.alignment.domain.known import KnownLead

_CHANGED = [it for it in KnownLead._fields if it != "lead_id"]
_SAVE = text(f"""
    insert into alignment.leads as stored ({", ".join(KnownLead._fields)})
    select {", ".join(KnownLead._fields)}
    from json_populate_recordset(cast(null as alignment.leads), cast(:leads as json))
    on conflict (lead_id) do update
    set ({", ".join(_CHANGED)}) = ({", ".join(f"excluded.{it}" for it in _CHANGED)})
    where stored.sequence < excluded.sequence
""")  # noqa: S608 - the names of columns


def save_known(session: Session, leads: Sequence[KnownLead]) -> None:
    """Save these leads, which are in the order of their ids; a lead of a later record stays as it is."""
    if leads:
        rows: list[dict[str, Any]] = [it._asdict() for it in leads]
        session.execute(_SAVE, {"leads": orjson.dumps(rows).decode()})
