"""Tallies by where a lead came from: what each clock adds to the counts of its sources and of its campaign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.domain.tallies import EVERY, measures_of

NO_NAME = ""
"""Stands for leads without a source, or without a campaign."""


class SourceField(StrEnum):
    """By what of a lead a count is."""

    SOURCE = "source"
    CAMPAIGN = "campaign"


class SourceTally(NamedTuple):
    """The key of a count: a measure of the clocks of leads with one source, or of one campaign, due on one date."""

    field: str
    tier: str
    due_on: date
    name: str
    team: str
    kind: str
    scope: str
    measure: str
    bucket: int


def source_tally_changes(
    pairs: Iterable[tuple[Clock | None, Clock | None]],
) -> Counter[SourceTally]:
    """How the counts change, given each clock before and after; None where there was or is no clock."""
    changes: Counter[SourceTally] = Counter()
    for before, after in pairs:
        for tally in source_tallies_of(before):
            changes[tally] -= 1
        for tally in source_tallies_of(after):
            changes[tally] += 1
    return Counter({tally: count for tally, count in changes.items() if count})


def source_tallies_of(clock: Clock | None) -> list[SourceTally]:
    """The tallies that count a clock: under each of its lead's sources, and under its campaign.

    None where the clock counts for nothing yet, or was stored without its sources.
    """
    if clock is None or clock.sources is None:
        return []
    measures = measures_of(clock)
    names = [
        *((SourceField.SOURCE, it) for it in dict.fromkeys(clock.sources or (NO_NAME,))),
        (SourceField.CAMPAIGN, clock.campaign or NO_NAME),
    ]
    cohort = (clock.team, clock.kind, clock.scope.value)
    return [
        SourceTally(field.value, clock.tier, clock.due_on, name, *cohort, measure, bucket)
        for field, name in names
        for measure, bucket in measures
    ]


def with_tier_sums(changes: Mapping[SourceTally, int]) -> Counter[SourceTally]:
    """The changes of the counts of each tier, and of those over all tiers."""
    counts: Counter[SourceTally] = Counter()
    for tally, count in changes.items():
        counts[tally] += count
        counts[tally._replace(tier=EVERY)] += count
    return counts


def source_differences(
    stored: Mapping[SourceTally, int], counted: Mapping[SourceTally, int]
) -> dict[SourceTally, int]:
    """What the stored counts lack of those of a recount without sums; negative where they have too much."""
    expected = with_tier_sums(counted)
    missing = {it: expected[it] - stored.get(it, 0) for it in {*expected, *stored}}
    return {tally: count for tally, count in missing.items() if count}
