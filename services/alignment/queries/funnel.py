"""The counts and sums of the funnel, by group."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, cast, func, null, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from services.alignment.domain.funnel import PromiseCounts, Stage, StageCounts, WinSum
from services.alignment.queries.promises import IS_BROKEN, IS_MET
from services.alignment.queries.selection import COUNTED, IN_STAGE, GroupBy, Selection
from services.alignment.tables import handoffs, promises

handoff, promise = handoffs.c, promises.c


def stage_counts(
    session: Session, selection: Selection, group_by: GroupBy | None
) -> list[StageCounts]:
    """The counts of each group, or of all handoffs together, which is one group even if it is empty."""
    group = _group(group_by)
    statement = select(
        group.label("group"),
        func.min(handoff.agreement_version).label("first_version"),
        func.max(handoff.agreement_version).label("last_version"),
        *(func.count().filter(IN_STAGE[it]).label(it.value) for it in Stage),
    ).where(*selection.conditions())
    if group_by is not None:
        statement = statement.group_by(group)
    return [StageCounts(**row) for row in session.execute(statement).mappings()]


def win_sums(session: Session, selection: Selection, group_by: GroupBy | None) -> list[WinSum]:
    """The wins of each group by the currency of their amounts; amounts in two currencies are never added."""
    group = _group(group_by)
    statement = select(
        group.label("group"),
        handoff.currency,
        func.count().label("wins"),
        func.coalesce(func.sum(handoff.amount_cents), 0).label("cents"),
    ).where(*selection.conditions(), IN_STAGE[Stage.WON])
    by = [handoff.currency] if group_by is None else [group, handoff.currency]
    rows = session.execute(statement.group_by(*by)).mappings()
    return [WinSum(**{**row, "cents": int(row["cents"])}) for row in rows]


def promise_counts(
    session: Session, selection: Selection, group_by: GroupBy | None
) -> list[PromiseCounts]:
    """How many promises about the handoffs of each group were met, and how many broken."""
    group = _group(group_by)
    statement = (
        select(
            group.label("group"),
            func.count().filter(IS_MET).label("met"),
            func.count().filter(IS_BROKEN).label("broken"),
        )
        .select_from(handoffs.join(promises, promise.handoff_id == handoff.handoff_id))
        .where(*selection.conditions(), COUNTED)
    )
    if group_by is not None:
        statement = statement.group_by(group)
    return [PromiseCounts(**row) for row in session.execute(statement).mappings()]


def _group(group_by: GroupBy | None) -> ColumnElement[Any]:
    return cast(null(), Text) if group_by is None else handoff[group_by.value]
