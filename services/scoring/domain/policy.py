"""One version of the agreement as scoring decides by it, indexed by event type."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from typing import Any

from services.scoring.domain.engagement import Weight, Weights
from services.scoring.domain.page import path_of, url_of
from services.scoring.domain.score import Part, Score, bounded
from services.scoring.domain.touches import AUTOMATED_MARKS, ChannelTable, Origin, origin_of
from shared.agreement.cel.cache import ABSENT, MAX_ANSWERS, MAX_CHARACTERS, AnswerCache
from shared.agreement.cel.read import attributes_read, chains, tokens
from shared.agreement.facts import lead_facts, persona_of
from shared.agreement.model import Agreement, Signal, Suppression
from shared.contracts.payloads import MarketingEvent

REP_TRAITS = frozenset(
    {"name", "first_name", "last_name", "company", "job_title", "title", "account"}
)
"""Traits that a rep reads first. They are stored whether the agreement declares them or not."""


@dataclass(frozen=True)
class ScoringPolicy:
    """One version of the agreement as scoring uses it."""

    version: int
    agreement: Agreement

    @cached_property
    def weights(self) -> Weights:
        """The weights of signals and groups."""
        return Weights(self.agreement.scoring)

    def counts_like(self, policy: ScoringPolicy) -> bool:
        """Whether a lead has the same profile and fit under both policies, so that it need not be counted again."""
        first, second = self.agreement, policy.agreement
        return (first.scoring, first.traits) == (second.scoring, second.traits)

    @cached_property
    def hand_raises(self) -> frozenset[str]:
        """The event types that always qualify."""
        return frozenset(self.agreement.qualification.hand_raise)

    @cached_property
    def kept_traits(self) -> frozenset[str]:
        """The traits that are stored with a lead."""
        return REP_TRAITS | frozenset(self.agreement.traits)

    @cached_property
    def rearm_below(self) -> float:
        """The engagement below which a lead may cross the threshold again; 0 without a threshold."""
        threshold = self.agreement.qualification.threshold
        return 0.0 if threshold is None else threshold.rearm_below

    @cached_property
    def only_rises(self) -> bool:
        """Whether no signal takes points, so that new events can only delay a fall of engagement."""
        return all(signal.points >= 0 for signal in self.agreement.scoring.signals)

    @cached_property
    def qualification_traits(self) -> frozenset[str]:
        """The traits that the conditions of qualification read or that are required."""
        qualification = self.agreement.qualification
        conditions = [it.when for it in qualification.suppress]
        conditions += [it.when for it in qualification.tiers]
        conditions += [it.when for it in self.agreement.personas]
        if qualification.threshold is not None:
            conditions.append(qualification.threshold.when)
        names = attributes_read("lead", *[it.source for it in conditions])
        return self.kept_traits if names is None else names | frozenset(qualification.require)

    def signals_of(self, event: MarketingEvent) -> Sequence[Weight]:
        """The signals for which the event gives points."""
        rules = self._rules_by_type.get(event.type)
        if rules is None or (event.marks and not AUTOMATED_MARKS.isdisjoint(event.marks)):
            return ()
        return rules.counting_signals(event) if rules.conditions else rules.signals

    def origin_of(self, event: MarketingEvent) -> Origin | None:
        """Where the event came from; None if it is no touch."""
        return origin_of(event, self._channels)

    def takes_points(self, events: Iterable[MarketingEvent]) -> bool:
        """Whether one of the events takes points."""
        return not self.only_rises and any(
            signal.points < 0 for event in events for signal in self.signals_of(event)
        )

    def raises_hand(self, event: MarketingEvent) -> bool:
        """Whether the event is a hand-raise: one of a person, and not older than `hand_raise_within` at its arrival."""
        return (
            event.type in self.hand_raises
            and AUTOMATED_MARKS.isdisjoint(event.marks)
            and event.received_at - event.time <= self.agreement.qualification.hand_raise_within
        )

    def is_activity(self, event: MarketingEvent) -> bool:
        """Whether the event makes a lead engaged: it gives or takes points, or raises a hand."""
        return bool(self.signals_of(event)) or self.raises_hand(event)

    def reopens(self, event: MarketingEvent) -> bool:
        """Whether the event lets a lead qualify again that a rep has disqualified."""
        return event.type in self.agreement.qualification.reopened_by and (
            AUTOMATED_MARKS.isdisjoint(event.marks)
        )

    def wait_after(self, reject_reason: str | None) -> timedelta | None:
        """How long a lead that was handed back for this reason waits, until the threshold may qualify it again."""
        reasons = self.agreement.routing.reject_reasons
        return next((it.wait for it in reasons if it.id == reject_reason), None)

    def readable_types(self) -> Collection[str]:
        """The event types that a rep gets with a lead."""
        return self.hand_raises | self._rules_by_type.keys()

    def facts_about(
        self,
        traits: Mapping[str, Any],
        *,
        email: str | None,
        account: str | None,
        stage: str | None,
    ) -> dict[str, Any]:
        """The facts that the agreement's conditions read as `lead`."""
        return lead_facts(
            traits, email=email, account=account, stage=stage, agreement=self.agreement
        )

    def fit(self, lead: Mapping[str, Any]) -> Score:
        """The points of the fit rules that hold, each once."""
        return bounded(
            [
                Part(rule.id, rule.label or rule.id, rule.points)
                for rule in self.agreement.scoring.fit
                if rule.when.holds({"lead": lead})
            ],
            rule="fit_bounds",
        )

    def crosses(self, facts: Mapping[str, Any]) -> bool:
        """Whether the condition of the threshold holds."""
        threshold = self.agreement.qualification.threshold
        return threshold is not None and threshold.when.holds(facts)

    def suppression(self, facts: Mapping[str, Any]) -> Suppression | None:
        """The first suppression whose condition holds, or None."""
        rules = self.agreement.qualification.suppress
        return self._suppressions.recall(
            facts, lambda: next((rule for rule in rules if rule.when.holds(facts)), None)
        )

    def persona(self, lead: Mapping[str, Any]) -> str:
        """The persona of a lead with these facts; empty where none holds."""
        personas = self.agreement.personas
        return self._personas.recall({"lead": lead}, lambda: persona_of(personas, lead))

    def missing_traits(self, lead: Mapping[str, Any]) -> tuple[str, ...]:
        """The required traits that the lead does not have."""
        required = self.agreement.qualification.require
        return tuple(name for name in required if lead.get(name) in (None, ""))

    def tier(self, facts: Mapping[str, Any]) -> str:
        """The id of the first tier whose condition holds; the last one holds for every lead."""
        tiers = self.agreement.qualification.tiers
        return next((tier.id for tier in tiers if tier.when.holds(facts)), tiers[-1].id)

    @cached_property
    def _personas(self) -> AnswerCache:
        return AnswerCache(*[it.when.source for it in self.agreement.personas])

    @cached_property
    def _channels(self) -> ChannelTable:
        return ChannelTable(self.agreement.channels, self.hand_raises)

    @cached_property
    def _suppressions(self) -> AnswerCache:
        return AnswerCache(*[it.when.source for it in self.agreement.qualification.suppress])

    @cached_property
    def _rules_by_type(self) -> Mapping[str, _TypeRules]:
        signals: dict[str, tuple[Signal, ...]] = {}
        for signal in self.agreement.scoring.signals:
            signals[signal.on] = (*signals.get(signal.on, ()), signal)
        return {type_: _TypeRules(it, self.weights) for type_, it in signals.items()}


class _TypeRules:
    """The signals of one event type, with a cache of which of them count for equal events."""

    def __init__(self, signals: Sequence[Signal], weights: Weights) -> None:
        self.signals = tuple(weights.signals[it.id] for it in signals)
        self._weights = [(it.when, weights.signals[it.id]) for it in signals]
        self.conditions = [it.when.source for it in signals if it.when is not None]
        self._answers = AnswerCache(*self.conditions)
        self._readers = _readers(self.conditions)
        self._by_values: dict[tuple[object, ...], tuple[Weight, ...]] = {}

    def counting_signals(self, event: MarketingEvent) -> tuple[Weight, ...]:
        """The signals that count. Conditions that read only texts are evaluated once for the same texts."""
        if self._readers is None:
            return self._evaluate(event)
        key = tuple([read(event) for read in self._readers])
        try:
            return self._by_values[key]
        except (KeyError, TypeError):  # not cached, or with a list in it
            return self._remember(event, key)

    def _remember(self, event: MarketingEvent, key: tuple[object, ...]) -> tuple[Weight, ...]:
        counting_signals = self._evaluate(event)
        if all(it is ABSENT or (type(it) is str and len(it) <= MAX_CHARACTERS) for it in key):
            if len(self._by_values) >= MAX_ANSWERS:
                self._by_values.clear()
            self._by_values[key] = counting_signals
        return counting_signals

    def _evaluate(self, event: MarketingEvent) -> tuple[Weight, ...]:
        facts = event_facts(event)
        return self._answers.recall(
            facts,
            lambda: tuple(it for when, it in self._weights if when is None or when.holds(facts)),
        )


Reader = Callable[[MarketingEvent], object]
"""Reads one value of an event."""


def _readers(sources: Sequence[str]) -> list[Reader] | None:
    """What reads the values that the conditions read; None if they read others than properties, path and url."""
    readers: dict[tuple[str, ...], Reader] = {}
    for chain in {it for source in sources for it in chains(tokens(source)) if it[0] == "event"}:
        match chain:
            case (_, "properties", name, *_):
                readers["properties", name] = partial(_property, name)
            case (_, ("path" | "url") as name, *_):
                readers[name,] = path_of if name == "path" else url_of
            case _:
                return None
    return list(readers.values())


def _property(name: str, event: MarketingEvent) -> object:
    return event.properties.get(name, ABSENT)


def event_facts(event: MarketingEvent) -> dict[str, Any]:
    """The facts that a signal's condition reads as `event`; none is of the lead, so that order does not matter."""
    facts = {
        "type": event.type,
        "properties": event.properties,
        "context": event.context,
        "url": url_of(event),
        "path": path_of(event),
    }
    return {"event": {name: value for name, value in facts.items() if value is not None}}
