"""Selects the rep for one lead, with reasons for every candidate. `allocation` selects the same reps for many leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.routing.domain.assignment.eligibility import Exclusion, MatchedLead, exclusions
from services.routing.domain.assignment.precedence import (
    OWNER,
    precedence,
    reserved,
    waits_for_owner,
)
from services.routing.domain.policy import TeamPolicy
from services.routing.domain.roster import RepLoad
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
class Selection:
    """The selected rep, or None, with everything that explains it."""

    rep: str | None
    strategy: str
    """`owner`, `sticky`, or how the rule compares reps."""
    candidates: tuple[Candidate, ...]


def select_rep(
    lead: MatchedLead, loads: Sequence[RepLoad], *, policy: TeamPolicy, now: datetime
) -> Selection:
    """Select one of the eligible reps.

    The owner of the account comes first, then the rep of the lead's previous handoff, as far as the rule asks for them;
    then the rule's ranking decides. In another team than the rule's, only these two may have the lead.
    """
    excluded_by = {
        it.rep.id: exclusions(lead, it, policy=policy, now=now)
        for it in loads
        if it.rep.team == policy.team or it.rep.id in (lead.previous_rep, lead.owner)
    }
    waits = waits_for_owner(lead, excluded_by.get(lead.owner or "", ()))
    first = precedence(lead, waits=waits)
    if waits or lead.rule.team != policy.team:
        excluded_by = _reserved_for(first, excluded_by)
    candidates = [it for it in loads if it.rep.id in excluded_by]
    eligible = [it for it in candidates if not excluded_by[it.rep.id]]
    load, strategy = _preferred(lead, first, eligible, largest_limit(loads, policy.team))
    if waits:
        strategy = OWNER
    shortfall_of = shortfalls(eligible)
    return Selection(
        load.rep.id if load else None,
        strategy,
        tuple(
            Candidate(
                rep=it.rep.id,
                open=it.open,
                today=it.today,
                assigned=it.assigned,
                credit=round(it.credit, 6),
                weight=it.rep.weight,
                shortfall=shortfall_of.get(it.rep.id),
                excluded=excluded_by[it.rep.id],
            )
            for it in candidates
        ),
    )


def _reserved_for(
    reps: Sequence[tuple[str, str]], excluded_by: Mapping[str, tuple[Exclusion, ...]]
) -> dict[str, tuple[Exclusion, ...]]:
    """The exclusions of each rep where only these reps may have the lead."""
    exclusion, ids = reserved(reps), {rep for rep, _ in reps}
    return {
        rep: excluded if rep in ids else (*excluded, exclusion)
        for rep, excluded in excluded_by.items()
    }


def shortfalls(eligible: Sequence[RepLoad]) -> dict[str, float]:
    """How many leads each lacks: `(Σn + Σcredit) · w / Σw - (n + credit)`, summed over the eligible.

    Rounded, so that credits that are equal on paper tie.
    """
    total = sum(it.share for it in eligible)
    weights = sum(it.rep.weight for it in eligible)
    return {it.rep.id: shortfall(it, total, weights) for it in eligible}


def shortfall(load: RepLoad, total: float, weights: float) -> float:
    """How many leads the rep lacks; `total` and `weights` are the sums of the eligible reps' shares and weights."""
    return round(total * load.rep.weight / weights - load.share, 9) + 0.0


def loads_after(
    loads: Sequence[RepLoad], reps: Collection[str], *, policy: TeamPolicy, now: datetime
) -> list[RepLoad]:
    """The loads after each of these reps got a lead, as often as they are named.

    A rep on leave is credited what the others got on average.
    """
    leads_of, away, weight_present = Counter(reps), set(), 0.0
    for rep in (it.rep for it in loads if it.rep.team == policy.team):
        if rep.on_leave(now):
            away.add(rep.id)
        else:
            weight_present += rep.weight

    def after(load: RepLoad) -> RepLoad:
        rep = load.rep
        if rep.id in leads_of:
            return with_leads(load, leads_of[rep.id], now=now)
        if rep.id in away and reps:
            return load._replace(credit=load.credit + len(reps) * rep.weight / weight_present)
        return load

    return list(map(after, loads))


def with_leads(load: RepLoad, leads: int, *, now: datetime) -> RepLoad:
    """The rep's load with so many leads more. Every field is named, because this runs once a lead."""
    return RepLoad(
        load.rep,
        load.open + leads,
        load.today + leads,
        load.assigned + leads,
        load.credit,
        now,
        load.counted,
    )


def credit_newcomers(loads: Sequence[RepLoad]) -> list[RepLoad]:
    """Reps who have no share in this period yet start with the average of the others, by weight."""
    counted = [it for it in loads if it.counted]
    weights = sum(it.rep.weight for it in counted)
    average = sum(it.share for it in counted) / weights if counted else 0.0
    return [it if it.counted else it._replace(credit=average * it.rep.weight) for it in loads]


def largest_limit(loads: Iterable[RepLoad], team: str) -> int | None:
    """The largest capacity of the team's active reps; None if none of them has a limit."""
    limits = (it.rep.open_limit for it in loads if it.rep.team == team and it.rep.active)
    return max((it for it in limits if it is not None), default=None)


def _preferred(
    lead: MatchedLead,
    first: Iterable[tuple[str, str]],
    eligible: Sequence[RepLoad],
    largest: int | None,
) -> tuple[RepLoad | None, str]:
    load_of = {it.rep.id: it for it in eligible}
    for rep, strategy in first:
        if rep in load_of:
            return load_of[rep], strategy
    ranking = lead.rule.ranking
    return min(eligible, key=_order(ranking, eligible, largest), default=None), ranking.value


SortKey = tuple[float, float, datetime, str]


def _order(
    strategy: Strategy, eligible: Sequence[RepLoad], largest: int | None
) -> Callable[[RepLoad], SortKey]:
    """What the strategy prefers, least first; the id comes last, so that nothing is left to chance."""
    if strategy is not Strategy.FAIR_SHARE:
        return lambda it: order_in_weight(strategy, it, largest)
    shortfall_of = shortfalls(eligible)
    return lambda it: fair_order(it, shortfall_of[it.rep.id])


def fair_order(load: RepLoad, shortfall: float) -> SortKey:
    """What fair share prefers among reps with these shortfalls, least first."""
    return (-shortfall, -load.rep.weight, load.last_assigned_at or _LONG_AGO, load.rep.id)


def order_in_weight(strategy: Strategy, load: RepLoad, largest: int | None) -> SortKey:
    """What the strategy prefers among reps of one weight, least first: it depends on no other rep's load.

    A rep without a capacity counts as having the `largest` one of the team.
    """
    if strategy is Strategy.RANKED:
        return (load.rep.position, 0.0, _LONG_AGO, load.rep.id)
    idle_since = load.last_assigned_at or _LONG_AGO
    if strategy is Strategy.LEAST_LOADED:
        limit = load.rep.open_limit or largest
        return (load.open / limit if limit else 0.0, load.open, idle_since, load.rep.id)
    return (round(load.share, 9), 0.0, idle_since, load.rep.id)
