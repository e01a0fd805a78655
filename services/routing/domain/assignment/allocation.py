"""Allocates many leads one by one, each to the rep whom `selection` selects, at a cost that hardly grows with the reps.

Leads that are alike share a heap of their eligible reps; a rep's key in the heap is brought up to date when the rep
comes to the top. So a lead costs a look at a few reps, where `select_rep` looks at all of them to explain each one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

from services.routing.domain.assignment.eligibility import (
    Exclusion,
    MatchedLead,
    RequestedRep,
    exclusions,
    exclusions_of_lead,
    is_free,
    is_full,
)
from services.routing.domain.assignment.precedence import OWNER, precedence, waits_for_owner
from services.routing.domain.assignment.request import check_request
from services.routing.domain.assignment.selection import (
    SortKey,
    largest_limit,
    loads_after,
    order_in_weight,
    shortfall,
    with_leads,
)
from services.routing.domain.policy import TeamPolicy
from services.routing.domain.roster import RepLoad
from shared.agreement.cel.cache import AnswerCache
from shared.agreement.cel.read import attributes_read
from shared.agreement.model import RoutingRule, Strategy


@dataclass(frozen=True, slots=True)
class Allocation:
    """Leads of one team assigned together: the loads before it and the reps in the order in which they got a lead.

    Every decision of it can be computed again from these, so no decision needs a list of all reps of its own.
    """

    team: str
    decided_at: datetime
    agreement_version: int
    """The version that the team's hours, days and periods are counted by."""
    loads: Sequence[RepLoad]
    reps: Sequence[str]

    def loads_before(self, position: int, *, policy: TeamPolicy) -> list[RepLoad]:
        """Each rep as a decision saw them after so many leads of the allocation."""
        reps = self.reps[:position]
        return loads_after(self.loads, reps, policy=policy, now=self.decided_at)


class Choice(NamedTuple):
    """Who gets a lead; or None, and the instant at which time alone may make somebody eligible."""

    rep: str | None
    strategy: str
    """How the rule compares reps, or `owner`, `sticky`, `named` or `forced`."""
    position: int
    """How many leads were assigned before it."""
    review_at: datetime | None = None
    leaves_team: bool = False
    """Whether the lead goes on to its rule's team, because the reps whom it was here for may not have it."""


class BatchAllocator:
    """The reps of one team while leads are assigned at one instant."""

    def __init__(self, loads: Sequence[RepLoad], *, policy: TeamPolicy, now: datetime) -> None:
        self._loads_before, self._policy, self._now = loads, policy, now
        self._state = _State(
            {it.rep.id: it for it in loads},
            {it.rep.id for it in loads if is_free(it, policy=policy, now=now)},
            largest_limit(loads, policy.team),
        )
        self._team = [it.rep.id for it in loads if it.rep.team == policy.team]
        self._groups: dict[tuple[object, ...], AnswerCache] = {}
        self._eligible: dict[tuple[Strategy, tuple[str, ...]], _EligibleReps] = {}
        self._kinds: dict[tuple[str, ...], Sequence[list[str]]] = {}

    def assign(self, lead: MatchedLead) -> Choice:
        """Assign the lead to one of the eligible reps, if there is one, or to the rep whom ops name.

        Raises UnknownRep or NotEligible where that rep may not have it.
        """
        if lead.request is not None:
            return self._assign_to(lead.request, lead)
        position, strategy = len(self._state.assigned), lead.rule.ranking.value
        if lead.owner or lead.previous_rep or lead.rule.team != self._policy.team:
            choice = self._by_precedence(lead)
            if choice is not None:
                return choice
        group = self._group_of(lead)
        load = group.eligible.first()
        if load is None:
            return Choice(None, strategy, position, self._review_at(lead, group))
        self._add_lead(load)
        return Choice(load.rep.id, strategy, position)

    @property
    def anybody_free(self) -> bool:
        """Whether there is a rep to whom some lead could go."""
        return bool(self._state.free)

    @property
    def reps(self) -> Sequence[str]:
        """Who got the leads, in order."""
        return self._state.assigned

    def loads(self) -> list[RepLoad]:
        """The loads as the leads that were assigned so far leave them."""
        return loads_after(
            self._loads_before, self._state.assigned, policy=self._policy, now=self._now
        )

    def _assign_to(self, request: RequestedRep, lead: MatchedLead) -> Choice:
        load, position = self._state.loads.get(request.rep), len(self._state.assigned)
        load, strategy = check_request(request, lead, load, policy=self._policy, now=self._now)
        self._add_lead(load)
        return Choice(request.rep, strategy, position)

    def _by_precedence(self, lead: MatchedLead) -> Choice | None:
        """The choice for a lead that goes to its owner or previous rep, waits for the owner, or leaves the team."""
        position, excluded = len(self._state.assigned), tuple[Exclusion, ...]()
        owner = self._state.loads.get(lead.owner or "")
        if owner is not None and lead.rule.otherwise == "wait":
            excluded = exclusions(lead, owner, policy=self._policy, now=self._now)
        waits = waits_for_owner(lead, excluded)
        for rep, strategy in precedence(lead, waits=waits):
            if self._is_eligible(rep, lead):
                self._add_lead(self._state.loads[rep])
                return Choice(rep, strategy, position)
        if waits:
            return Choice(None, OWNER, position, _earliest_end(excluded))
        if lead.rule.team != self._policy.team:
            return Choice(None, lead.rule.ranking.value, position, leaves_team=True)
        return None

    def _is_eligible(self, rep: str, lead: MatchedLead) -> bool:
        load = self._state.loads.get(rep)
        if load is None or rep not in self._state.free:
            return False
        return not exclusions_of_lead(lead, load, policy=self._policy, now=self._now)

    def _group_of(self, lead: MatchedLead) -> _LeadGroup:
        """The group of leads under such a rule that are the same in everything that the rule's match reads."""
        rule = lead.rule
        source = rule.match.source if rule.match else ""
        key = (source, rule.hours, rule.ranking, lead.earlier_reps, lead.refused_by)
        groups = self._groups.get(key)
        if groups is None:
            groups = self._groups[key] = AnswerCache(source)
        return groups.recall(lead.facts, partial(self._new_group, lead))

    def _new_group(self, lead: MatchedLead) -> _LeadGroup:
        """One rep of each kind is checked for all of that kind; groups with the same reps share one heap."""
        nobody = frozenset[str]()
        without_history = lead._replace(earlier_reps=nobody, refused_by=nobody)
        excluded = lead.earlier_reps | lead.refused_by
        eligible = tuple(
            rep
            for kind in self._kinds_for(lead.rule)
            if not exclusions_of_lead(
                without_history, self._state.loads[kind[0]], policy=self._policy, now=self._now
            )
            for rep in kind
            if rep in self._state.free and rep not in excluded
        )
        key = (lead.rule.ranking, eligible)
        if key not in self._eligible:
            loads = [self._state.loads[it] for it in eligible]
            self._eligible[key] = _EligibleReps(self._state, lead.rule.ranking, loads)
        return _LeadGroup(self._eligible[key])

    def _kinds_for(self, rule: RoutingRule) -> Sequence[list[str]]:
        """The team's reps, grouped by what the rule reads of a rep."""
        read = attributes_read("rep", rule.match.source) if rule.match else frozenset()
        if read is None:
            return [[it] for it in self._team]
        names = tuple(sorted({"hours", *read}))
        if names not in self._kinds:
            kinds = defaultdict(list)
            for id in self._team:
                rep = self._state.loads[id].rep
                kinds[tuple([getattr(rep, name, None) for name in names])].append(id)
            self._kinds[names] = list(kinds.values())
        return self._kinds[names]

    def _add_lead(self, load: RepLoad) -> None:
        rep = load.rep.id
        after = self._state.loads[rep] = with_leads(load, 1, now=self._now)
        self._state.assigned.append(rep)
        if is_full(after):
            self._state.free.discard(rep)

    def _review_at(self, lead: MatchedLead, group: _LeadGroup) -> datetime | None:
        """Computed once a group: while no rep is eligible, nothing changes for its leads."""
        if not group.reviewed:
            group.review_at = _earliest_end(
                exclusion
                for rep in self._team
                for exclusion in exclusions(
                    lead, self._state.loads[rep], policy=self._policy, now=self._now
                )
            )
            group.reviewed = True
        return group.review_at


def _earliest_end(excluded: Iterable[Exclusion]) -> datetime | None:
    """When time alone ends the first of the exclusions; None if it ends none."""
    return min((it.until for it in excluded if it.until is not None), default=None)


@dataclass(frozen=True, slots=True)
class _State:
    """Every rep's load now, the reps who can take any lead at all, and who got one, in order."""

    loads: dict[str, RepLoad]
    free: set[str]
    largest: int | None
    """The largest capacity of the team."""
    assigned: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _LeadGroup:
    """Leads for which the same reps are eligible."""

    eligible: _EligibleReps
    reviewed: bool = False
    review_at: datetime | None = None


class _EligibleReps:
    """Reps who are eligible for the same leads: a heap a weight, each in the strategy's order."""

    def __init__(self, state: _State, strategy: Strategy, eligible: Sequence[RepLoad]) -> None:
        self._state, self._strategy = state, strategy
        self._reps = {it.rep.id for it in eligible}
        self._counted, self._total, self._weights = 0, 0.0, 0.0
        heaps = defaultdict(list)
        for load in eligible:
            weight = load.rep.weight if strategy is Strategy.FAIR_SHARE else 1.0
            heaps[weight].append(order_in_weight(strategy, load, state.largest))
        self._heaps = list(heaps.values())
        for heap in self._heaps:
            heapify(heap)
        self._sum()

    def first(self) -> RepLoad | None:
        """The rep whom the strategy prefers, of those who are still free."""
        tops = [load for heap in self._heaps if (load := self._top(heap)) is not None]
        if len(tops) < 2:
            return next(iter(tops), None)
        self._catch_up()
        return min(tops, key=self._order)

    def _top(self, heap: list[SortKey]) -> RepLoad | None:
        while heap:
            *_, rep = heap[0]
            if rep not in self._state.free:
                heappop(heap)
                continue
            load = self._state.loads[rep]
            key = order_in_weight(self._strategy, load, self._state.largest)
            if key == heap[0]:
                return load
            heapreplace(heap, key)
        return None

    def _order(self, load: RepLoad) -> SortKey:
        lacks = shortfall(load, self._total, self._weights)
        *_, idle_since, rep = order_in_weight(self._strategy, load, self._state.largest)
        return (-lacks, -load.rep.weight, idle_since, rep)

    def _catch_up(self) -> None:
        """Count what these reps got since the sums were made, for leads of any group."""
        new = [it for it in self._state.assigned[self._counted :] if it in self._reps]
        self._total += len(new)
        self._counted = len(self._state.assigned)
        if not self._state.free.issuperset(new):
            self._reps &= self._state.free
            self._sum()

    def _sum(self) -> None:
        loads = [self._state.loads[it] for it in self._reps]
        self._counted = len(self._state.assigned)
        self._total = sum(it.share for it in loads)
        self._weights = sum(it.rep.weight for it in loads)
