"""Why a lead went where it went: each decision with every rep as it saw them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from services.routing.domain.eligibility import Case
from services.routing.domain.picking import Candidate
from services.routing.domain.rounds import candidates
from services.routing.handlers.office import Office, desk_of
from services.routing.queries import rounds


def explained(session: Session, id: UUID, *, office: Office) -> Iterator[dict[str, Any]]:
    """The handoff's decisions, one for each hop, in order."""
    had_by: set[str] = set()
    for row in rounds.decisions_of(session, id):
        told = {"hop": row.hop, **row.decision}
        if row.round_id is not None:
            told["candidates"] = _candidates(session, row, frozenset(had_by), office)
        yield told
        had_by.add(row.rep)


def _candidates(
    session: Session, row: Row[Any], had_by: frozenset[str], office: Office
) -> list[dict[str, Any]]:
    """Worked out again from the round, by what decided then."""
    round_ = rounds.round_of(session, row.round_id)
    said = row.decision
    agreed = office.agreements.version(session, said["agreement_version"]).agreement
    counted = office.agreements.version(session, round_.agreement_version).agreement
    rule = next(it for it in agreed.routing.rules if it.id == said["rule"])
    case = Case(rule, said["facts"], had_by, said["previous_rep"])
    desk = desk_of(round_.team, counted)
    return [_told(it) for it in candidates(round_, case, place=said["place"], desk=desk)]


def _told(it: Candidate) -> dict[str, Any]:
    excluded = [
        {
            "why": one.why.value,
            "said": one.said,
            "until": one.until.isoformat() if one.until else None,
        }
        for one in it.excluded
    ]
    return {**asdict(it), "excluded": excluded}
