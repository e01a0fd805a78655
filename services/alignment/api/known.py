"""Leads that are known or engaged, before they qualify: which of them a request selects, and how many they are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.alignment.api.parameters import Parameters
from services.alignment.domain.conditions import MAX_GROUPS, condition_of, matching
from services.alignment.domain.funnel import KnownCounts
from services.alignment.domain.groups import fields_read
from services.alignment.domain.known import FIELDS
from services.alignment.queries.known import (
    KnownSelection,
    is_any_known,
    known_counts,
    known_groups,
)

OF_HANDOFFS = ("tier", "team", "rep")
"""Parameters that select nothing among leads that have not qualified."""


def known_selection(
    session: Session, parameters: Parameters, now: datetime
) -> KnownSelection | None:
    """The leads that the parameters select; None where these name a team, a tier or a rep, which the leads have not.

    Raises BadPeriod, EmptyRange or BadCondition.
    """
    if any(getattr(parameters, it) is not None for it in OF_HANDOFFS):
        return None
    times, groups = parameters.times(now), None
    if parameters.where is not None:
        condition = condition_of(parameters.where)
        fields = fields_read([condition])
        if not set(fields) <= set(FIELDS):
            return None
        known = known_groups(session, times, fields, limit=MAX_GROUPS + 1)
        groups = matching(condition, fields, known)
    values = {it: getattr(parameters, it) for it in FIELDS}
    filters = {name: value for name, value in values.items() if value is not None}
    return KnownSelection(times, filters, groups)


def known_by(
    session: Session, parameters: Parameters, by: str, now: datetime
) -> list[KnownCounts] | None:
    """How many leads became known and engaged, by group, or in all where these leads have no such groups.

    None where they are not counted: the parameters name what they do not have, or none was announced yet.
    """
    selection = known_selection(session, parameters, now)
    if selection is None or not is_any_known(session):
        return None
    return known_counts(session, selection, by if by in FIELDS else None)
