"""The sums of handoffs: what was counted of each day, and of stale days the handoffs themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    func,
    select,
    true,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Stage
from services.alignment.domain.groups import FIELDS, Group
from services.alignment.domain.progress import Outcome
from services.alignment.domain.tallies import Tally
from services.alignment.queries.days import DAY, SINCE, UNTIL, dates_in
from services.alignment.queries.promises import KEPT
from services.alignment.queries.scopes import FACTS
from services.alignment.queries.selection import (
    COUNTED,
    IN_STAGE,
    IS_LOST,
    IS_REJECTED,
    IS_UNTOUCHED,
    GroupBy,
    Selection,
)
from services.alignment.queries.stale_days import (
    STALE_DAYS,
    is_counted,
    of_each_stale_day,
    of_stale_days,
)
from services.alignment.tables import daily_tallies, handoffs
from shared.db.time_range import TimeRange

handoff, tally = handoffs.c, daily_tallies.c

CATEGORY = "category"
NAMES_OF: dict[str, tuple[str, ...]] = {
    **{it: (it,) for it in ("tier", "team", "persona", "channel", "source", "campaign")},
    "rep": ("team", "rep"),
    CATEGORY: FIELDS,
}
"""By which facts each field sums handoffs, or clocks: the fields with the fewest rows first."""

SUMS: Mapping[str, ColumnElement[Any]] = {
    **{it.value: func.count().filter(IN_STAGE[it]) for it in Stage},
    "cents": func.coalesce(func.sum(handoff.amount_cents).filter(IN_STAGE[Stage.WON]), 0),
    "met": func.coalesce(func.sum(KEPT.c.met).filter(COUNTED), 0),
    "broken": func.coalesce(func.sum(KEPT.c.broken).filter(COUNTED), 0),
}
"""What is summed of handoffs for the funnel."""
later = handoffs.alias("later")
again = (
    select(
        (func.count() > 0).label("qualified"),
        func.bool_or(later.c.accepted_at.is_not(None)).label("accepted"),
        func.bool_or(later.c.outcome == Outcome.WON.value).label("won"),
    )
    .where(
        IN_STAGE[Stage.RECYCLED],
        later.c.lead_id == handoff.lead_id,
        later.c.qualification > handoff.qualification,
        later.c.qualified_at.is_not(None),
        later.c.outcome.is_distinct_from(Outcome.MERGED.value),
    )
    .correlate(handoffs)
    .lateral("again")
)
"""What became of a recycled lead: whether it qualified again, and was accepted and won then."""
FOLLOW_UPS: Mapping[str, ColumnElement[Any]] = {
    "untouched": func.count().filter(IS_UNTOUCHED),
    "attempts": func.coalesce(func.sum(handoff.attempts).filter(IN_STAGE[Stage.ASSIGNED]), 0),
    "answers": func.count().filter(IS_REJECTED) + func.count().filter(IS_LOST),
    "reasoned": func.count().filter(and_(IS_REJECTED, handoff.rejection_reason.is_not(None)))
    + func.count().filter(and_(IS_LOST, handoff.loss_reason.is_not(None))),
    **{f"{it}_again": func.count().filter(again.c[it]) for it in ("qualified", "accepted", "won")},
}
"""What is summed of handoffs, joined to `again`, for measures alone: what sales did and said."""


def tallies_by(session: Session, selection: Selection, group_by: GroupBy) -> list[Tally]:
    """The sums of each group of the selected handoffs."""
    source = union_all(*_parts(selection, group_by)).subquery()
    keys = [source.c["group"], source.c.agreement_version, source.c.currency]
    statement = select(
        func.nullif(source.c["group"], "").label("group"),
        source.c.agreement_version,
        func.nullif(source.c.currency, "").label("currency"),
        *(func.sum(source.c[it]).label(it) for it in SUMS),
    ).group_by(*keys)
    return [
        Tally(**{**row, **{it: int(row[it]) for it in SUMS}})
        for row in session.execute(statement).mappings()
    ]


def groups_in(
    session: Session, times: TimeRange, fields: tuple[str, ...], *, limit: int
) -> list[Group]:
    """The values of these of FIELDS that handoffs have which qualified on these dates, at most `limit`."""
    if not fields:
        return [()]
    field = CATEGORY if len(fields) > 1 else "".join(fields)
    counted = select(*(tally[it] for it in fields)).where(*_dated(times, field))
    stale = (
        select(*(func.coalesce(handoff[it], "") for it in fields))
        .select_from(STALE_DAYS.join(handoffs, of_stale_days(handoff.qualified_at)))
        .where(*Selection(times).conditions())
    )
    return list(map(tuple, session.execute(union(counted, stale).limit(limit))))


def is_tallied(selection: Selection, group_by: GroupBy) -> bool:
    """Whether days are counted so: whole dates are, and a rep with regard to the team alone."""
    is_counted_so = field_of({group_by.value, *selection.fields}) is not None
    return is_counted_so and all(map(_is_midnight, selection.times))


def field_of(names: Collection[str]) -> str | None:
    """The field whose sums have these facts; None if none has."""
    fields = (field for field, facts in NAMES_OF.items() if set(names) <= set(facts))
    return next(fields, None)


def counted_tallies() -> Select[Any]:
    """The tallies of the handoffs that qualified on DAY, of all fields in one pass."""
    facts = (handoff.agreement_version, handoff.currency)
    sets = [tuple_(*facts, *(handoff[it] for it in names)) for names in NAMES_OF.values()]
    columns: list[ColumnElement[Any]] = [
        DAY.label("counted_on"),
        *field_and_facts(FACTS),
        *_sums(),
        *(it.label(name) for name, it in FOLLOW_UPS.items()),
    ]
    return (
        select(*columns)
        .select_from(handoffs.join(KEPT, true()).join(again, true()))
        .where(handoff.qualified_at >= SINCE, handoff.qualified_at < UNTIL)
        .group_by(func.grouping_sets(*sets))
    )


def field_and_facts(columns: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """The field and the facts of a row that is grouped by those of one of NAMES_OF."""
    field = case(
        *(
            (func.grouping(*(columns[it] for it in names)) == 0, field)
            for field, names in reversed(NAMES_OF.items())
        )
    )
    facts = [func.coalesce(column, "").label(it) for it, column in columns.items()]
    return [field.label("field"), *facts]


def _parts(selection: Selection, group_by: GroupBy) -> list[Select[Any]]:
    sums = _of_handoffs(selection, group_by)
    if not is_tallied(selection, group_by):
        return [sums]
    stale = of_each_stale_day(sums.where(of_stale_days(handoff.qualified_at)))
    return [_counted(selection, group_by), stale]


def _of_handoffs(selection: Selection, group_by: GroupBy) -> Select[Any]:
    group = handoff[group_by.value]
    return (
        select(func.coalesce(group, "").label("group"), *_sums())
        .select_from(handoffs.join(KEPT, true()))
        .where(*selection.conditions())
        .group_by(group, handoff.agreement_version, handoff.currency)
    )


def _counted(selection: Selection, group_by: GroupBy) -> Select[Any]:
    return select(
        tally[group_by.value].label("group"),
        tally.agreement_version,
        tally.currency,
        *(tally[it] for it in SUMS),
    ).where(
        *_dated(selection.times, field_of({group_by.value, *selection.fields})),
        *selection.narrowed({it.value: tally[it.value] for it in GroupBy}),
    )


def _sums() -> list[ColumnElement[Any]]:
    return [
        func.coalesce(handoff.agreement_version, 0).label("agreement_version"),
        func.coalesce(handoff.currency, "").label("currency"),
        *(it.label(name) for name, it in SUMS.items()),
    ]


def _dated(times: TimeRange, field: str | None) -> list[ColumnElement[bool]]:
    """The conditions on tallies of the field, of these dates, that hold."""
    return [
        tally.field == field,
        is_counted(tally.counted_on),
        *dates_in(times, tally.counted_on),
    ]


def _is_midnight(instant: datetime | None) -> bool:
    return instant is None or instant.astimezone(UTC).time() == time()
