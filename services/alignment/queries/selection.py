"""Which handoffs a report counts: conditions on their facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    ColumnElement,
    Text,
    and_,
    cast,
    column,
    false,
    func,
    literal,
    select,
    true,
    tuple_,
)

from services.alignment.domain.funnel import Stage
from services.alignment.domain.groups import FIELDS, Groups
from services.alignment.domain.progress import Outcome
from services.alignment.tables import handoffs
from shared.agreement.cel.condition import Condition
from shared.db.time_range import ALWAYS, TimeRange

handoff = handoffs.c
_FACTS = {it: handoff[it] for it in FIELDS}


class GroupBy(StrEnum):
    """What the groups of a report are."""

    CAMPAIGN = "campaign"
    SOURCE = "source"
    CHANNEL = "channel"
    PERSONA = "persona"
    TIER = "tier"
    TEAM = "team"
    REP = "rep"


class CountedBy(StrEnum):
    """By which date handoffs are counted in a stage."""

    QUALIFIED = "qualified"
    HAPPENED = "happened"


UNKNOWN = ""
"""The value of a filter for handoffs of which it is not known."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Handoffs by when they qualified, by facts, and by the groups that a condition holds for; None selects all.

    `where` is the condition of the groups, for what is selected besides handoffs.
    """

    times: TimeRange = ALWAYS
    campaign: str | None = None
    source: str | None = None
    channel: str | None = None
    persona: str | None = None
    tier: str | None = None
    team: str | None = None
    rep: str | None = None
    groups: Groups | None = None
    where: Condition | None = None

    @property
    def filters(self) -> dict[GroupBy, str]:
        """The values of the fields that narrow it."""
        values = {it: getattr(self, it.value) for it in GroupBy}
        return {it: value for it, value in values.items() if value is not None}

    @property
    def fields(self) -> frozenset[str]:
        """The facts by which it is narrowed."""
        conditions = () if self.groups is None else self.groups.fields
        return frozenset([*(it.value for it in self.filters), *conditions])

    def narrowed(self, columns: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[bool]]:
        """The conditions on facts in these columns, which have an empty text for what is not known."""
        values = [columns[it.value] == value for it, value in self.filters.items()]
        return [*values, *([] if self.groups is None else [is_in(self.groups, columns)])]

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on the facts. What qualified at an unknown time has only been touched so far."""
        return [
            *([] if self.groups is None else [is_in(self.groups, _FACTS)]),
            handoff.qualified_at.is_not(None),
            *self.times.conditions(handoff.qualified_at),
            *(
                handoff[it.value].is_(None) if value == UNKNOWN else handoff[it.value] == value
                for it, value in self.filters.items()
            ),
        ]


EVERYTHING = Selection()


def is_in(groups: Groups, columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
    """Whether the facts are those of one of the groups."""
    if not groups.members or not groups.fields:
        return true() if groups.members else false()
    rows = [dict(zip(groups.fields, it, strict=True)) for it in groups.members]
    members = (
        func.json_to_recordset(cast(literal(orjson.dumps(rows).decode(), Text), JSON))
        .table_valued(*(column(it, Text) for it in groups.fields), name="member")
        .render_derived(with_types=True)
    )
    facts = [func.coalesce(columns[it], "") for it in groups.fields]
    return tuple_(*facts).in_(select(*(members.c[it] for it in groups.fields)))


COUNTED = handoff.outcome.is_distinct_from(Outcome.MERGED.value)
"""A handoff that ended as its lead was merged is counted in no stage but that: its person has another one."""

IN_STAGE: Mapping[Stage, ColumnElement[bool]] = {
    Stage.QUALIFIED: COUNTED,
    Stage.ASSIGNED: and_(COUNTED, handoff.assigned_at.is_not(None)),
    Stage.ACCEPTED: and_(COUNTED, handoff.accepted_at.is_not(None)),
    Stage.REJECTED: and_(COUNTED, handoff.rejected_at.is_not(None), handoff.accepted_at.is_(None)),
    Stage.CONTACTED: and_(COUNTED, handoff.contacted_at.is_not(None)),
    Stage.WON: handoff.outcome == Outcome.WON.value,
    Stage.LOST: handoff.outcome == Outcome.LOST.value,
    Stage.RECYCLED: handoff.outcome == Outcome.RECYCLED.value,
    Stage.MERGED: handoff.outcome == Outcome.MERGED.value,
}
"""The condition of each stage on the facts of a handoff."""
IS_REJECTED = and_(COUNTED, handoff.rejected_at.is_not(None))
IS_LOST = IN_STAGE[Stage.LOST]
IS_UNTOUCHED = and_(
    IN_STAGE[Stage.ACCEPTED], handoff.contacted_at.is_(None), handoff.closed_at.is_(None)
)

HAPPENED_AT: Mapping[Stage, ColumnElement[datetime]] = {
    Stage.QUALIFIED: handoff.qualified_at,
    Stage.ASSIGNED: handoff.assigned_at,
    Stage.ACCEPTED: handoff.accepted_at,
    Stage.REJECTED: handoff.rejected_at,
    Stage.CONTACTED: handoff.contacted_at,
    Stage.WON: handoff.closed_at,
    Stage.LOST: handoff.closed_at,
    Stage.RECYCLED: handoff.closed_at,
    Stage.MERGED: handoff.closed_at,
}
"""When a handoff came to a stage."""
