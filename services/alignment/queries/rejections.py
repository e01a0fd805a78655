"""How many handoffs of each group sales rejected, and why; the database ranks the groups, which may be many."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, null, select, union_all
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Stage
from services.alignment.domain.rejections import RejectionSum
from services.alignment.domain.sums import Valued
from services.alignment.queries.scopes import Scope, Uncounted
from services.alignment.queries.selection import COUNTED, IN_STAGE, GroupBy
from services.alignment.tables import daily_tallies, daily_values, handoffs

handoff, tally, daily = handoffs.c, daily_tallies.c, daily_values.c


def rejections_by(session: Session, scope: Scope, by: GroupBy, *, limit: int) -> list[RejectionSum]:
    """The sums of the `limit` groups with most rejections, and of the others together, by the reasons."""
    ranked = _ranked(scope, by).subquery().c
    has_some = func.coalesce(ranked.rejected, 0) > 0
    is_listed = has_some & (ranked.rank <= limit)
    keys: list[ColumnElement[Any]] = [
        case((is_listed, ranked.rank), (has_some, 0)).label("rank"),
        case((is_listed, ranked.group), else_="").label("group"),
        ranked.reason,
    ]
    statement = select(
        *keys,
        func.sum(ranked.number).label("handoffs"),
        func.count().filter(ranked.is_first).label("groups"),
    ).group_by(*keys)
    return [
        RejectionSum(it.rank, it.group, it.reason, int(it.handoffs), it.groups)
        for it in session.execute(statement)
    ]


def _ranked(scope: Scope, by: GroupBy) -> Select[*tuple[Any, ...]]:
    """How many handoffs of each group were rejected for each reason, and how the group ranks by its rejections."""
    sums = union_all(*_parts(scope, by)).subquery().c
    keys = (sums["group"], sums.reason)
    counts = select(*keys, func.sum(sums.number).label("number")).group_by(*keys).subquery().c
    of_reasons = func.sum(counts.number).filter(counts.reason.is_not(None))
    rejected = of_reasons.over(partition_by=counts.group)
    number = func.row_number().over(partition_by=counts.group)
    groups = select(*counts, rejected.label("rejected"), (number == 1).label("is_first"))
    group = groups.subquery().c
    order = (group.rejected.desc().nulls_last(), group.group)
    return select(*group, func.dense_rank().over(order_by=order).label("rank"))


def _parts(scope: Scope, by: GroupBy) -> list[Select[*tuple[Any, ...]]]:
    """A row for each group and reason, several times; the reason of handoffs that were not rejected is null."""
    if not scope.fields <= {by.value}:
        return [_of_handoffs(scope.itself, by)]
    rejected = select(
        daily.name.label("group"), daily.value.label("reason"), daily.handoffs.label("number")
    ).where(
        daily.field == by.value,
        daily.kind == Valued.REASON.value,
        *scope.counted(daily.counted_on),
        *scope.narrowed({by.value: daily.name}),
    )
    group = tally[by.value]
    others = select(group, cast(null(), Text), tally.qualified - tally.rejected).where(
        tally.field == by.value,
        *scope.counted(tally.counted_on),
        *scope.narrowed({by.value: group}),
    )
    return [rejected, others, *(_of_handoffs(it, by) for it in scope.uncounted)]


def _of_handoffs(part: Uncounted, by: GroupBy) -> Select[*tuple[Any, ...]]:
    group = func.coalesce(handoff[by.value], "")
    reason = case(
        (IN_STAGE[Stage.REJECTED], func.coalesce(handoff.rejection_reason, "")),
        else_=cast(null(), Text),
    )
    keys = (group.label("group"), reason.label("reason"))
    return (
        select(*keys, func.count().label("number"))
        .select_from(part.source)
        .where(*part.conditions, COUNTED)
        .group_by(*keys)
    )
