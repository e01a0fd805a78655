"""Search of leads by words, and lists of leads: those that were active or qualified last."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, TextClause, Uuid, any_, delete, func, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.scoring.domain.lead import Stage
from services.scoring.tables import events, holdings, lead_words, stages

MAX_MATCHES = 1_000
"""A search looks at so many leads at most: whoever has more matches types more of the word."""

Position = tuple[datetime, UUID]
"""The instant by which a list is ordered, and the id of the lead."""


class LeadDates(NamedTuple):
    """A lead of a list: when it was active last, and when it qualified last."""

    lead_id: UUID
    last_event_at: datetime | None
    qualified_at: datetime | None


_SAVE_WORDS = text("""
    insert into scoring.lead_words as row (lead_id, words)
    select lead_id, cast(words as tsvector)
    from unnest(cast(:leads as uuid[]), cast(:words as text[])) as changed (lead_id, words)
    on conflict (lead_id) do update set words = excluded.words
""")


def save_words(session: Session, words_by_lead: Mapping[UUID, Sequence[str]]) -> None:
    """Replace the words of these leads, in the order of their ids."""
    if words_by_lead:
        ids = sorted(words_by_lead, key=lambda it: it.int)
        words = [" ".join(words_by_lead[it]) for it in ids]
        session.execute(_SAVE_WORDS, {"leads": ids, "words": words})


def delete_words(session: Session, lead_ids: Collection[UUID]) -> None:
    """Delete the words of leads that were merged into others."""
    ids = literal(list(lead_ids), ARRAY(Uuid))
    session.execute(delete(lead_words).where(lead_words.c.lead_id == any_(ids)))


def matching_leads(
    session: Session,
    words: Sequence[str],
    *,
    rep: str | None,
    before: Position | None,
    limit: int,
) -> list[LeadDates]:
    """Leads that have a word which begins with each of these, the ones that were active last first.

    With a rep only leads whose handoffs the rep holds. Of more than MAX_MATCHES it looks at as many.
    """
    query = " & ".join(f"{word}:*" for word in words)
    matches = select(lead_words.c.lead_id).where(_matches(query)).limit(MAX_MATCHES)
    if rep is not None:
        matches = matches.where(lead_words.c.lead_id.in_(_held_by(rep)))
    candidates = matches.cte("candidates")
    last_event_at = (
        select(func.max(events.c.time))
        .where(events.c.lead_id == candidates.c.lead_id)
        .scalar_subquery()
    )
    dated = select(candidates.c.lead_id, last_event_at.label("at")).subquery()
    active = select(dated.c.lead_id, dated.c.at).where(dated.c.at.is_not(None))
    return _dates(session, _page(active, dated.c, before, limit))


def qualified_leads(
    session: Session, *, rep: str | None, before: Position | None, limit: int
) -> list[LeadDates]:
    """Leads that have qualified, the latest qualification first; with a rep only those that the rep holds."""
    later = stages.alias("later")
    is_outdated = (
        select(literal(1))
        .where(
            later.c.lead_id == stages.c.lead_id,
            later.c.stage == Stage.QUALIFIED,
            tuple_(later.c.at, later.c.id) > tuple_(stages.c.at, stages.c.id),
        )
        .exists()
    )
    statement = select(stages.c.lead_id, stages.c.at).where(
        stages.c.stage == text(f"'{Stage.QUALIFIED}'"), ~is_outdated
    )
    if rep is not None:
        statement = statement.where(stages.c.lead_id.in_(_held_by(rep)))
    return _dates(session, _page(statement, stages.c, before, limit))


def _page(statement: Select[Any], columns: Any, before: Position | None, limit: int) -> Select[Any]:
    """The page of the statement, the latest first, before the position."""
    order = (columns.at, columns.lead_id)
    if before is not None:
        statement = statement.where(tuple_(*order) < tuple_(*map(literal, before)))
    return statement.order_by(*(it.desc() for it in order)).limit(limit)


def _dates(session: Session, page: Select[Any]) -> list[LeadDates]:
    """The leads of the page with both dates."""
    listed = page.subquery("listed")
    active = select(func.max(events.c.time)).where(events.c.lead_id == listed.c.lead_id)
    qualified = select(func.max(stages.c.at)).where(
        stages.c.lead_id == listed.c.lead_id, stages.c.stage == Stage.QUALIFIED
    )
    statement = select(
        listed.c.lead_id,
        active.scalar_subquery().label("last_event_at"),
        qualified.scalar_subquery().label("qualified_at"),
    ).order_by(listed.c.at.desc(), listed.c.lead_id.desc())
    return [LeadDates(**row) for row in session.execute(statement).mappings()]


def _held_by(rep: str) -> Select[Any]:
    """The leads whose handoffs the rep holds, or has closed."""
    return select(holdings.c.lead_id).where(holdings.c.rep == rep, holdings.c.until.is_(None))


def _matches(query: str) -> TextClause:
    return text("lead_words.words @@ cast(:query as tsquery)").bindparams(query=query)
