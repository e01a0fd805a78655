"""Who does: one lead, one desk, one decision that explains itself. `giving` gives out many at once, the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.routing.domain.assignment.eligibility import Case, Exclusion, exclusions
from services.routing.domain.policy import (
    TeamPolicy,
)
from services.routing.domain.roster import (
    RepLoad,
)
from shared.agreement.model import Strategy

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rep as the decision saw them: with a shortfall, or with what excluded them."""

    rep: str
    open: int
    today: int
    assigned: int
    credit: float
    weight: float
    shortfall: float | None
    excluded: tuple[Exclusion, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """Who got it and why; or why nobody did."""

    picked: str | None
    by: str
    """`sticky`, or the rule's strategy."""
    candidates: tuple[Candidate, ...]


def pick(case: Case, loads: Sequence[RepLoad], *, policy: TeamPolicy, now: datetime) -> Decision:
    """Give the lead to one of the eligible, or to nobody.

    The rep who held the lead before goes first where the rule is sticky; then the rule's strategy.
    """
    judged = [
        (it, exclusions(case, it, policy=policy, now=now))
        for it in loads
        if it.rep.team == policy.team or it.rep.id == case.previous_rep
    ]
    eligible = [load for load, excluded in judged if not excluded]
    picked, by = _chosen(case, eligible)
    lacking = shortfalls(eligible)
    return Decision(
        picked.rep.id if picked else None,
        by,
        tuple(_candidate(it, lacking.get(it.rep.id), excluded) for it, excluded in judged),
    )


def shortfalls(eligible: Sequence[RepLoad]) -> dict[str, float]:
    """How many leads each lacks: `(Σn + Σcredit) · w / Σw - (n + credit)`, summed over the eligible.

    Rounded, so that credits that are equal on paper tie.
    """
    total = sum(it.share for it in eligible)
    weights = sum(it.rep.weight for it in eligible)
    return {it.rep.id: shortfall(it, total, weights) for it in eligible}


def shortfall(it: RepLoad, total: float, weights: float) -> float:
    """How many leads the rep lacks, where all that the eligible have and weigh is this."""
    return round(total * it.rep.weight / weights - it.share, 9) + 0.0


def given(
    loads: Sequence[RepLoad], picked: Collection[str], *, policy: TeamPolicy, now: datetime
) -> list[RepLoad]:
    """The bench after a lead went to each of these; who is on leave is credited what the others got on average."""
    times, away, present = Counter(picked), set(), 0.0
    for rep in (it.rep for it in loads if it.rep.team == policy.team):
        if rep.on_leave(now):
            away.add(rep.id)
        else:
            present += rep.weight

    def after(load: RepLoad) -> RepLoad:
        rep = load.rep
        if rep.id in times:
            return with_more(load, times[rep.id], now=now)
        if rep.id in away and picked:
            return load._replace(credit=load.credit + len(picked) * rep.weight / present)
        return load

    return list(map(after, loads))


def with_more(load: RepLoad, leads: int, *, now: datetime) -> RepLoad:
    """The rep with so many leads more."""
    rep, open_, today, assigned, credit, _, counted = load
    return RepLoad(rep, open_ + leads, today + leads, assigned + leads, credit, now, counted)


def with_newcomers(loads: Sequence[RepLoad]) -> list[RepLoad]:
    """Reps who have no share in this period yet start with what the others have had on average, by weight."""
    old = [it for it in loads if it.counted]
    weights = sum(it.rep.weight for it in old)
    average = sum(it.share for it in old) / weights if old else 0.0
    return [it if it.counted else it._replace(credit=average * it.rep.weight) for it in loads]


def _chosen(case: Case, eligible: Sequence[RepLoad]) -> tuple[RepLoad | None, str]:
    before = next((it for it in eligible if it.rep.id == case.previous_rep), None)
    if case.rule.sticky and before is not None:
        return before, "sticky"
    strategy = case.rule.strategy
    return min(eligible, key=_order(strategy, eligible), default=None), strategy.value


_Key = tuple[float, float, datetime, str]


def _order(strategy: Strategy, eligible: Sequence[RepLoad]) -> Callable[[RepLoad], _Key]:
    """What the strategy prefers, least first; the last resort is the id, so that there is no chance in it."""
    if strategy is not Strategy.FAIR_SHARE:
        return lambda it: among_equals(strategy, it)
    lacking = shortfalls(eligible)
    return lambda it: (-lacking[it.rep.id], -it.rep.weight, *among_equals(strategy, it)[2:])


def among_equals(strategy: Strategy, it: RepLoad) -> _Key:
    """What the strategy prefers among reps of one weight, least first: it depends on nobody else."""
    if strategy is Strategy.RANKED:
        return (it.rep.position, 0.0, _LONG_AGO, it.rep.id)
    idle_since = it.last_assigned_at or _LONG_AGO
    if strategy is Strategy.LEAST_LOADED:
        return (_load(it), it.open, idle_since, it.rep.id)
    return (round(it.share, 9), 0.0, idle_since, it.rep.id)


def _load(load: RepLoad) -> float:
    """Open ÷ capacity; a rep without a limit has room for everything."""
    limit = load.rep.open_limit
    return load.open / limit if limit else 0.0


def _candidate(it: RepLoad, shortfall: float | None, excluded: tuple[Exclusion, ...]) -> Candidate:
    return Candidate(
        rep=it.rep.id,
        open=it.open,
        today=it.today,
        assigned=it.assigned,
        credit=round(it.credit, 6),
        weight=it.rep.weight,
        shortfall=shortfall,
        excluded=excluded,
    )
