"""The oracle of reports: a fold in Python over all handoffs and promises, which knows nothing of sums."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts
from services.alignment.domain.funnel import (
    Funnel,
    PromiseCounts,
    Stage,
    StageCounts,
    WinSum,
    funnels,
)
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.handlers.counting import count_oldest_day
from services.alignment.queries.facts import facts_of
from services.alignment.queries.reports import funnels_by
from services.alignment.queries.selection import GroupBy, Selection
from services.alignment.tables import handoffs, promises
from shared.agreement.store import Policies
from shared.db.time_range import ALWAYS


class Kept(NamedTuple):
    """How many promises were met and broken."""

    met: int = 0
    broken: int = 0


def all_facts(session: Session) -> list[HandoffFacts]:
    """The facts of every handoff whose qualification is known."""
    columns = [handoffs.c[it] for it in HandoffFacts._fields]
    rows = map(facts_of, session.execute(select(*columns)))
    return [it for it in rows if it.qualified_at is not None]


def folded(
    session: Session,
    group_by: GroupBy,
    is_selected: Callable[[HandoffFacts], bool] = lambda _: True,
) -> list[Funnel]:
    """The funnel of each group of the handoffs that are selected."""
    groups: dict[str | None, list[HandoffFacts]] = defaultdict(list)
    for facts in filter(is_selected, all_facts(session)):
        groups[getattr(facts, group_by.value)].append(facts)
    kept = _kept(session)
    return funnels(
        [_counts(group, members) for group, members in groups.items()],
        [win for group, members in groups.items() for win in _wins(group, members)],
        [_promises(group, members, kept) for group, members in groups.items()],
    )


def check_reports(session: Session) -> None:
    """Reports of every kind are the fold, whether days are stale or counted."""
    for group_by in GroupBy:
        assert funnels_by(session, Selection(ALWAYS), group_by) == folded(session, group_by)


def count_all(session: Session) -> int:
    """Count until no day is stale; how many were."""
    number = 0
    while count_oldest_day(session, Policies(AlignmentPolicy)):
        number += 1
    return number


def _counts(group: str | None, members: list[HandoffFacts]) -> StageCounts:
    counts = Counter(stage for facts in members for stage in _stages(facts))
    versions = [it.agreement_version for it in members if it.agreement_version]
    return StageCounts(
        group,
        min(versions, default=None),
        max(versions, default=None),
        **{it.value: counts[it.value] for it in Stage},
    )


def _stages(facts: HandoffFacts) -> Iterator[str]:
    if facts.outcome == "merged":
        yield "merged"
        return
    yield "qualified"
    yield from (it for it in ("assigned", "accepted", "contacted") if getattr(facts, f"{it}_at"))
    if facts.rejected_at and not facts.accepted_at:
        yield "rejected"
    if facts.outcome in {"won", "lost", "recycled"}:
        yield facts.outcome


def _wins(group: str | None, members: list[HandoffFacts]) -> list[WinSum]:
    wins, cents = Counter[str | None](), Counter[str | None]()
    for facts in members:
        if facts.outcome == "won":
            wins[facts.currency] += 1
            cents[facts.currency] += facts.amount_cents or 0
    return [WinSum(group, currency, wins[currency], cents[currency]) for currency in wins]


def _promises(
    group: str | None, members: list[HandoffFacts], kept: dict[UUID | None, Kept]
) -> PromiseCounts:
    counts = [kept.get(it.handoff_id, Kept()) for it in members if it.outcome != "merged"]
    return PromiseCounts(group, sum(it.met for it in counts), sum(it.broken for it in counts))


def _kept(session: Session) -> dict[UUID | None, Kept]:
    """By handoff. A promise is broken from its breach on until it is retracted, and else met from then on."""
    counts: dict[UUID | None, Kept] = defaultdict(Kept)
    for row in session.execute(select(promises)).mappings():
        before = counts[row["handoff_id"]]
        if _is_after(row["breached_at"], row["retracted_at"]):
            counts[row["handoff_id"]] = before._replace(broken=before.broken + 1)
        elif row["met_at"] and not _is_after(row["retracted_at"], row["met_at"]):
            counts[row["handoff_id"]] = before._replace(met=before.met + 1)
    return counts


def _is_after(instant: datetime | None, earlier: Any) -> bool:
    return instant is not None and (earlier is None or instant > earlier)
