"""The nearest change with which a decision would have picked another rep, and how far its pick came before the next.

Both are computed from the loads and the selection that the record of the decision gives.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.routing.domain.assignment.eligibility import ExclusionReason, MatchedLead
from services.routing.domain.assignment.precedence import OWNER, STICKY, precedence
from services.routing.domain.assignment.request import FORCED, NAMED
from services.routing.domain.assignment.selection import (
    Selection,
    SortKey,
    fair_order,
    largest_limit,
    order_in_weight,
    shortfall,
)
from services.routing.domain.roster import RepLoad
from shared.agreement.model import Strategy


class Measure(StrEnum):
    """What decided between two reps."""

    SHORTFALL = "shortfall"
    OPEN = "open"
    RANK = "rank"
    PREVIOUS_REP = "previous_rep"
    OWNER = "owner"
    NAMED = "named"


_MEASURES = {
    Strategy.FAIR_SHARE: Measure.SHORTFALL,
    Strategy.LEAST_LOADED: Measure.OPEN,
    Strategy.RANKED: Measure.RANK,
}
_BY_PRECEDENCE = {OWNER: Measure.OWNER, STICKY: Measure.PREVIOUS_REP}
"""What decided where a rep came before the ranking of the rule."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What a rep lacked against the rep who came first."""

    rival: str
    measure: Measure
    lacked: float
    """By the measure: leads of shortfall, a part of the capacity, or ranks; 0 in a tie."""
    fewer: int
    """With so many leads, open handoffs or ranks fewer the rep would have come first; 0 where no number decided."""


@dataclass(frozen=True, slots=True)
class NearestChange:
    """The least that would have had to differ for a rep to get the lead: every exclusion, then perhaps a gap."""

    exclusions: tuple[ExclusionReason, ...]
    gap: Gap | None


@dataclass(frozen=True, slots=True)
class Margin:
    """How far the pick came before the next rep; without a rival it was the only eligible one."""

    rival: str | None
    measure: Measure
    by: float
    """By the measure: leads of shortfall, a part of the capacity, or ranks; 0 in a tie, and where no number decided."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """What a decision was made from, what the present code selects from it, and what was decided then."""

    lead: MatchedLead
    loads: Sequence[RepLoad]
    selection: Selection
    picked: str | None
    strategy: str
    team: str

    @property
    def by_request(self) -> bool:
        """Whether ops had named the rep."""
        return self.strategy in (NAMED, FORCED)

    @property
    def reproduced(self) -> bool:
        """Whether the present code decides the same from this record; what ops decided is not computed."""
        return self.by_request or self.selection.rep == self.picked


def nearest_changes(record: DecisionRecord) -> dict[str, NearestChange]:
    """The nearest change for each candidate but the picked rep."""
    contest = _Contest(record)
    load_of = {it.rep.id: it for it in record.loads}
    changes = {}
    for candidate in record.selection.candidates:
        if candidate.rep != record.picked:
            reasons = tuple(it.reason for it in candidate.excluded)
            load = _without_exclusions(load_of[candidate.rep], reasons, team=record.team)
            gap = contest.gap_of(load, is_newcomer=bool(reasons))
            changes[candidate.rep] = NearestChange(reasons, gap)
    return changes


def margin_of(record: DecisionRecord) -> Margin | None:
    """How far the picked rep came before the next one; None where no rep was picked."""
    return None if record.picked is None else _Contest(record).margin_of(record.picked)


def _without_exclusions(load: RepLoad, reasons: Sequence[ExclusionReason], *, team: str) -> RepLoad:
    """The load as it would be compared with others if these exclusions had not been."""
    rep = load.rep
    if ExclusionReason.FULL in reasons and rep.open_limit is not None:
        load = load._replace(open=rep.open_limit - 1)
    return load._replace(rep=replace(rep, active=True, team=team))


class _Contest:
    """The eligible reps of a decision, as its strategy compares them."""

    def __init__(self, record: DecisionRecord) -> None:
        eligible_ids = {it.rep for it in record.selection.candidates if not it.excluded}
        self._record, self._strategy = record, record.lead.rule.ranking
        self._precedence = [rep for rep, _ in precedence(record.lead, waits=False)]
        self._eligible = [it for it in record.loads if it.rep.id in eligible_ids]
        self._largest = largest_limit(record.loads, record.team)
        self._total = sum(it.share for it in self._eligible)
        self._weights = sum(it.rep.weight for it in self._eligible)
        self._firsts = _first_of_each_weight(self._strategy, self._eligible, self._largest)

    def gap_of(self, load: RepLoad, *, is_newcomer: bool) -> Gap | None:
        """What the rep lacks, being eligible; None if the rep comes first. Newcomers were not eligible before."""
        record = self._record
        if record.by_request:
            return Gap(str(record.picked), Measure.NAMED, 0.0, 0)
        if not self._eligible or self._comes_before(load.rep.id, record.picked):
            return None
        if record.strategy in _BY_PRECEDENCE:
            return Gap(str(record.picked), _BY_PRECEDENCE[record.strategy], 0.0, 0)
        return self._gap_by_strategy(load, is_newcomer=is_newcomer)

    def _comes_before(self, rep: str, picked: str | None) -> bool:
        """Whether the rep, being eligible, comes before the picked one as an owner or a previous rep."""
        first = [it for it in self._precedence if it in (rep, picked)]
        return first[:1] == [rep]

    def margin_of(self, picked: str) -> Margin:
        """How far this rep came before the next one."""
        others = [it for it in self._eligible if it.rep.id != picked]
        key = self._key_with(self._total, self._weights, self._largest)
        runner_up = min(others, key=key, default=None)
        rival = None if runner_up is None else runner_up.rep.id
        if self._record.by_request:
            return Margin(rival, Measure.NAMED, 0.0)
        if self._record.strategy in _BY_PRECEDENCE:
            return Margin(rival, _BY_PRECEDENCE[self._record.strategy], 0.0)
        by = 0.0
        if runner_up is not None:
            [winner] = [it for it in self._eligible if it.rep.id == picked]
            by = _difference(key(runner_up), key(winner))
        return Margin(rival, _MEASURES[self._strategy], by)

    def _gap_by_strategy(self, load: RepLoad, *, is_newcomer: bool) -> Gap | None:
        largest = largest_limit([*self._record.loads, load], self._record.team)
        firsts = self._firsts
        if largest != self._largest:
            firsts = _first_of_each_weight(self._strategy, self._eligible, largest)
        rivals = [it for it in firsts if it.rep.id != load.rep.id]
        total = self._total + (load.share if is_newcomer else 0.0)
        weights = self._weights + (load.rep.weight if is_newcomer else 0.0)

        def comes_first(fewer: int) -> bool:
            less = _with_fewer(self._strategy, load, fewer)
            key = self._key_with(total + less.share - load.share, weights, largest)
            return key(less) < min(map(key, rivals))

        if comes_first(0):
            return None
        key = self._key_with(total, weights, largest)
        rival = min(rivals, key=key)
        return Gap(
            rival.rep.id,
            _MEASURES[self._strategy],
            _difference(key(load), key(rival)),
            _least(comes_first),
        )

    def _key_with(
        self, total: float, weights: float, largest: int | None
    ) -> Callable[[RepLoad], SortKey]:
        """What the strategy prefers, least first, where the eligible reps have these sums of shares and weights."""
        if self._strategy is Strategy.FAIR_SHARE:
            return lambda it: fair_order(it, shortfall(it, total, weights))
        return lambda it: order_in_weight(self._strategy, it, largest)


def _first_of_each_weight(
    strategy: Strategy, eligible: Sequence[RepLoad], largest: int | None
) -> list[RepLoad]:
    """The reps of whom one comes first, whatever the shortfalls: these leave the order within one weight as it is."""
    groups = defaultdict[float, list[RepLoad]](list)
    for load in eligible:
        groups[load.rep.weight].append(load)
    return [
        min(it, key=lambda it: order_in_weight(strategy, it, largest)) for it in groups.values()
    ]


def _with_fewer(strategy: Strategy, load: RepLoad, fewer: int) -> RepLoad:
    """The load with so many leads of the period, open handoffs or ranks fewer, whichever the strategy compares."""
    if strategy is Strategy.FAIR_SHARE:
        return load._replace(assigned=load.assigned - fewer)
    if strategy is Strategy.LEAST_LOADED:
        return load._replace(open=load.open - fewer)
    return load._replace(rep=replace(load.rep, position=load.rep.position - fewer))


def _difference(behind: SortKey, before: SortKey) -> float:
    """How much the first value of one key is behind that of another."""
    first, *_ = behind
    second, *_ = before
    return round(first - second, 9)


def _least(suffices: Callable[[int], bool]) -> int:
    """The least number from 1 on that suffices; larger ones suffice too."""
    limit = 1
    while not suffices(limit):
        limit *= 2
    return bisect_left(range(limit), x=True, lo=limit // 2, key=suffices)
