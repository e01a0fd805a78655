"""Many leads given out one by one, each as `picking.pick` would, at a cost that hardly grows with the reps.

Leads that are alike share a heap of those who may have them; a rep's place in it is set right when it comes to the
top. So a pick looks at a few reps, where `pick` looks at all of them, to say why each one did not get it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

from services.routing.domain.assignment.eligibility import (
    Case,
    exclusions,
    is_free,
    is_full,
    objections,
)
from services.routing.domain.assignment.selection import among_equals, given, shortfall, with_more
from services.routing.domain.policy import (
    TeamPolicy,
)
from services.routing.domain.roster import (
    RepLoad,
)
from shared.agreement.cel.cache import AnswerCache
from shared.agreement.cel.read import attributes_read
from shared.agreement.model import RoutingRule, Strategy


class Choice(NamedTuple):
    """Who got a lead, or nobody, and then when time alone ends what keeps somebody from it."""

    picked: str | None
    by: str
    """`sticky`, or the rule's strategy."""
    place: int
    """So many leads were given out before it."""
    review_at: datetime | None = None


class BatchAllocator:
    """A desk's reps while leads are given out; the last instant at which anybody looks at them is `now`."""

    def __init__(self, loads: Sequence[RepLoad], *, policy: TeamPolicy, now: datetime) -> None:
        self._before, self._policy, self._now = loads, policy, now
        self._seats = _Seats(
            {it.rep.id: it for it in loads},
            {it.rep.id for it in loads if is_free(it, policy=policy, now=now)},
        )
        self._team = [it.rep.id for it in loads if it.rep.team == policy.team]
        self._alike: dict[tuple[object, ...], AnswerCache] = {}
        self._eligible: dict[tuple[Strategy, tuple[str, ...]], _Eligible] = {}
        self._kinds: dict[tuple[str, ...], Sequence[list[str]]] = {}

    def give(self, case: Case) -> Choice:
        """The lead to one of the eligible, or to nobody."""
        place, by = len(self._seats.picks), case.rule.strategy.value
        if (
            case.rule.sticky
            and case.previous_rep is not None
            and self._may(case.previous_rep, case)
        ):
            self._take(self._seats.of[case.previous_rep])
            return Choice(case.previous_rep, "sticky", place)
        alike = self._those_for(case)
        first = alike.eligible.first()
        if first is None:
            return Choice(None, by, place, self._review_at(case, alike))
        self._take(first)
        return Choice(first.rep.id, by, place)

    def picks(self) -> Sequence[str]:
        """Who got the leads, in order."""
        return self._seats.picks

    def anybody_free(self) -> bool:
        """Whether there is any rep at all whom some lead could go to."""
        return bool(self._seats.free)

    def after(self) -> list[RepLoad]:
        """The reps as they stand now."""
        return given(self._before, self._seats.picks, policy=self._policy, now=self._now)

    def _may(self, rep: str, case: Case) -> bool:
        load = self._seats.of.get(rep)
        if load is None or rep not in self._seats.free:
            return False
        return not objections(case, load, policy=self._policy, now=self._now)

    def _those_for(self, case: Case) -> _Alike:
        """Who may have leads like this one: under such a rule, and with what its match reads the same."""
        rule = case.rule
        read = rule.match.source if rule.match else ""
        key = (read, rule.hours, rule.strategy, case.earlier_reps)
        memory = self._alike.get(key)
        if memory is None:
            memory = self._alike[key] = AnswerCache(read)
        return memory.recall(case.facts, partial(self._found, case))

    def _found(self, case: Case) -> _Alike:
        """Of reps in whom the rule sees no difference, one is asked for all; the same reps have one heap."""
        own = case._replace(earlier_reps=frozenset[str]())
        eligible = tuple(
            it
            for kind in self._kinds_for(case.rule)
            if not objections(own, self._seats.of[kind[0]], policy=self._policy, now=self._now)
            for it in kind
            if it in self._seats.free and it not in case.earlier_reps
        )
        key = (case.rule.strategy, eligible)
        if key not in self._eligible:
            members = [self._seats.of[it] for it in eligible]
            self._eligible[key] = _Eligible(self._seats, case.rule.strategy, members)
        return _Alike(self._eligible[key])

    def _kinds_for(self, rule: RoutingRule) -> Sequence[list[str]]:
        """The team's reps, together where the rule reads the same of them."""
        read = attributes_read("rep", rule.match.source) if rule.match else frozenset()
        if read is None:
            return [[it] for it in self._team]
        names = tuple(sorted({"hours", *read}))
        if names not in self._kinds:
            kinds = defaultdict(list)
            for it in self._team:
                rep = self._seats.of[it].rep
                kinds[tuple([getattr(rep, name, None) for name in names])].append(it)
            self._kinds[names] = list(kinds.values())
        return self._kinds[names]

    def _take(self, load: RepLoad) -> None:
        rep = load.rep.id
        after = self._seats.of[rep] = with_more(load, 1, now=self._now)
        self._seats.picks.append(rep)
        if is_full(after):
            self._seats.free.discard(rep)

    def _review_at(self, case: Case, alike: _Alike) -> datetime | None:
        """Worked out once for leads that are alike: while nobody may have them, nothing changes for them."""
        if not alike.reviewed:
            found = (
                it.until
                for rep in self._team
                for it in exclusions(case, self._seats.of[rep], policy=self._policy, now=self._now)
            )
            alike.review_at = min((it for it in found if it is not None), default=None)
            alike.reviewed = True
        return alike.review_at


@dataclass(frozen=True, slots=True)
class _Seats:
    """Every rep as they stand now, who can take any lead at all, and who got one, in order."""

    of: dict[str, RepLoad]
    free: set[str]
    picks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Alike:
    """Leads for which every rep may or may not, alike."""

    eligible: _Eligible
    reviewed: bool = False
    review_at: datetime | None = None


class _Eligible:
    """Reps who may have the same leads, by weight, and in each weight in the strategy's order."""

    def __init__(self, seats: _Seats, strategy: Strategy, eligible: Sequence[RepLoad]) -> None:
        self._seats, self._strategy = seats, strategy
        self._members = {it.rep.id for it in eligible}
        self._counted, self._total, self._weights = 0, 0.0, 0.0
        heaps = defaultdict(list)
        for it in eligible:
            weight = it.rep.weight if strategy is Strategy.FAIR_SHARE else 1.0
            heaps[weight].append(among_equals(strategy, it))
        self._heaps = list(heaps.values())
        for heap in self._heaps:
            heapify(heap)
        self._sum()

    def first(self) -> RepLoad | None:
        """Whom the strategy prefers, of those who may still have one."""
        tops = [it for heap in self._heaps if (it := self._top(heap)) is not None]
        if len(tops) < 2:
            return tops[0] if tops else None
        self._catch_up()
        return min(tops, key=self._preference)

    def _top(self, heap: list[tuple[float, float, datetime, str]]) -> RepLoad | None:
        while heap:
            rep = heap[0][-1]
            if rep not in self._seats.free:
                heappop(heap)
                continue
            load = self._seats.of[rep]
            now = among_equals(self._strategy, load)
            if now == heap[0]:
                return load
            heapreplace(heap, now)
        return None

    def _preference(self, it: RepLoad) -> tuple[float, float, datetime, str]:
        lacks = shortfall(it, self._total, self._weights)
        return (-lacks, -it.rep.weight, *among_equals(self._strategy, it)[2:])

    def _catch_up(self) -> None:
        """Count what our members got since we looked last, whoever's leads they were."""
        new = [it for it in self._seats.picks[self._counted :] if it in self._members]
        self._total += len(new)
        self._counted = len(self._seats.picks)
        if not self._seats.free.issuperset(new):
            self._members &= self._seats.free
            self._sum()

    def _sum(self) -> None:
        members = [self._seats.of[it] for it in self._members]
        self._counted = len(self._seats.picks)
        self._total = sum(it.share for it in members)
        self._weights = sum(it.rep.weight for it in members)
