"""The oracle of reports: a fold in Python over all handoffs and promises, which knows nothing of sums."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, select
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
from services.alignment.domain.measures import Counted, Measured, Subject
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.handlers.counting import count_oldest_day
from services.alignment.handlers.credits import count_oldest_credits
from services.alignment.queries.clocks import clock_groups, kept_clocks
from services.alignment.queries.counts import counts_in
from services.alignment.queries.facts import facts_of
from services.alignment.queries.populations import Population
from services.alignment.queries.reports import funnels_by
from services.alignment.queries.scopes import Scope
from services.alignment.queries.selection import GroupBy, Selection
from services.alignment.tables import handoffs, promises
from shared.agreement.store import Policies
from shared.db.session import Sessions
from shared.db.time_range import ALWAYS
from tests.builders import NOON

NARROWED: Sequence[tuple[str, ...]] = (
    *((it.value,) for it in GroupBy),
    ("team", "campaign"),
    ("campaign", "rep"),
)
"""Of the last two no days are counted."""


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


def check_all(session: Session) -> None:
    """All that is counted a day from more than one row is the fold."""
    check_reports(session)
    check_attainment(session)
    check_again(session)


def check_attainment(session: Session) -> None:
    """Clocks of every policy, narrowed by every fact and by pairs of facts, are the fold over all clocks."""
    clocks = list(_clocks(session))
    subject = Subject(Measured.ATTAINMENT, date(2026, 1, 1), date(2027, 12, 31), NOON)
    for policy in {it.policy for it in clocks}:
        population = Population(replace(subject, policy=policy))
        assert kept_clocks(session, population) == _met(clocks, policy, {})
        for names in NARROWED:
            for facts in {tuple(it.facts[name] for name in names) for it in clocks}:
                filters: dict[str, Any] = dict(zip(names, facts, strict=True))
                narrowed = replace(population, filters=Selection(ALWAYS, **filters))
                assert kept_clocks(session, narrowed) == _met(clocks, policy, filters), filters
            groups = {tuple(it.facts[n] for n in names) for it in clocks if it.policy == policy}
            assert set(clock_groups(session, population, names)) == groups


def check_again(session: Session) -> None:
    """What became of recycled leads is the fold over all handoffs."""
    handoffs = all_facts(session)
    recycled = [it for it in handoffs if it.outcome == "recycled"]
    later = [
        [
            it
            for it in handoffs
            if it.lead_id == before.lead_id
            and it.qualification > before.qualification
            and it.outcome != "merged"
        ]
        for before in recycled
    ]
    counts = counts_in(
        session, Scope(datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    )
    assert counts.recycled == len(recycled)
    assert counts.qualified_again == sum(map(bool, later))
    assert counts.accepted_again == sum(any(it.accepted_at for it in them) for them in later)
    assert counts.won_again == sum(any(it.outcome == "won" for it in them) for them in later)


def count_all(session: Session) -> int:
    """Count until no day is stale; how many were."""
    number = 0
    while count_oldest_day(session, Policies(AlignmentPolicy)):
        number += 1
    return number


def count_days(sessions: Sessions) -> None:
    """Count until no day is stale, each day in a transaction of its own, without the worker's pauses between them.

    On a busy machine they are so long that PostgreSQL ends a transaction of the test that is idle meanwhile.
    """
    is_counted = True
    while is_counted:
        with sessions.begin() as session:
            is_counted = count_oldest_day(session, Policies(AlignmentPolicy))


def count_credits(session: Session) -> int:
    """Count the credit of wins until no day is stale; of how many days."""
    number = 0
    while count_oldest_credits(session, Policies(AlignmentPolicy)):
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
        match _is_met(row):
            case True:
                counts[row["handoff_id"]] = before._replace(met=before.met + 1)
            case False:
                counts[row["handoff_id"]] = before._replace(broken=before.broken + 1)
    return counts


def _is_met(row: RowMapping) -> bool | None:
    """False: the promise is broken; None: neither."""
    if _is_after(row["breached_at"], row["retracted_at"]):
        return False
    return True if row["met_at"] and not _is_after(row["retracted_at"], row["met_at"]) else None


class Clock(NamedTuple):
    """A clock with its due date that was met or broken."""

    policy: str
    facts: dict[str, str]
    is_met: bool


def _clocks(session: Session) -> Iterator[Clock]:
    """The team and the tier are those that a clock was about, if it says so; the other facts are its handoff's."""
    names = [it.value for it in GroupBy]
    handoff = handoffs.c
    rows = session.execute(select(handoff.handoff_id, *(handoff[it] for it in names))).mappings()
    facts_of_handoff = {row["handoff_id"]: dict(row) for row in rows}
    for row in session.execute(select(promises)).mappings():
        is_met, facts = _is_met(row), facts_of_handoff.get(row["handoff_id"]) or {}
        if is_met is not None and row["due_on"] is not None:
            own = {it: row[it] for it in ("team", "tier") if row[it]}
            known = {it: {**facts, **own}.get(it) or "" for it in names}
            yield Clock(row["policy"], known, is_met)


def _met(clocks: Sequence[Clock], policy: str, filters: Mapping[str, str]) -> Counted:
    counted = [it for it in clocks if it.policy == policy and filters.items() <= it.facts.items()]
    return Counted(len(counted), sum(it.is_met for it in counted))


def _is_after(instant: datetime | None, earlier: Any) -> bool:
    return instant is not None and (earlier is None or instant > earlier)
