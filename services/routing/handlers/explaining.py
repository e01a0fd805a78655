"""Why a lead went where it went: each decision with every rep as it saw them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from services.routing.domain.eligibility import Case
from services.routing.domain.handoff import Handoff
from services.routing.domain.picking import Candidate
from services.routing.domain.rounds import candidates
from services.routing.handlers.office import Office, desk_of, ruled
from services.routing.queries import rounds


def explained(session: Session, handoff: Handoff, *, office: Office) -> Iterator[dict[str, Any]]:
    """The handoff's decisions, one for each hop, in order."""
    had_by: set[str] = set()
    for row in rounds.decisions_of(session, handoff.id):
        told = row.decision or _worked_out(session, handoff, row, frozenset(had_by), office)
        yield {"hop": row.hop, **told}
        had_by |= {row.rep} - {None}


def _worked_out(
    session: Session, handoff: Handoff, row: Row[Any], had_by: frozenset[str], office: Office
) -> dict[str, Any]:
    """The decision again, from the lead as it came, the agreement and the round, by what decided then."""
    round_ = office.benches.round_of(session, row.round_id)
    published = office.agreements.version(session, row.agreement_version)
    counted = office.agreements.version(session, round_.agreement_version).agreement
    _, facts, verdicts = ruled(handoff.lead, published)
    rule = next(it for it in published.agreement.routing.rules if it.id == row.rule)
    desk, case = desk_of(round_.team, counted), Case(rule, facts, had_by, row.previous_rep)
    return {
        "decided_at": round_.decided_at,
        "waited_s": round((round_.decided_at - handoff.qualified_at).total_seconds(), 3),
        "agreement_version": row.agreement_version,
        "facts": facts,
        "rules": list(map(asdict, verdicts)),
        "rule": row.rule,
        "team": round_.team,
        "period": desk.period_of(round_.decided_at),
        "previous_rep": row.previous_rep,
        "picked": row.rep,
        "by": row.by,
        "place": row.place,
        "candidates": [_told(it) for it in candidates(round_, case, place=row.place, desk=desk)],
    }


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
