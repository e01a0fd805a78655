"""Tallies: what each handoff adds to the sums that reports are computed from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from services.alignment.domain.facts import HandoffFacts
from services.alignment.domain.funnel import (
    Funnel,
    PromiseCounts,
    StageCounts,
    WinSum,
    funnels,
)
from services.alignment.domain.progress import Outcome

MEASURES = (
    "qualified", "assigned", "accepted", "rejected", "contacted", "won", "lost", "recycled", "merged",
    "wins", "met", "broken", "cents",
)  # fmt: skip
"""The sums of a tally. The first ones are the stages of the funnel; `cents` are those of the `wins` of one currency."""
STAGES = MEASURES[: MEASURES.index("wins")]
WINS, CENTS, MET, BROKEN = (MEASURES.index(it) for it in ("wins", "cents", "met", "broken"))
CATEGORY = "category"
"""The field of tallies that count the handoffs of one category."""


class Category(NamedTuple):
    """What reports group and conditions read; handoffs of one category do not differ in it. Empty is unknown."""

    team: str
    tier: str
    source: str
    campaign: str
    channel: str
    persona: str


class Tally(NamedTuple):
    """The key of sums: of the handoffs that qualified on one date and have one name in one field.

    Stages are summed by the agreement's version, wins by their currency, promises by their policy; what does not
    apply is 0 or empty.
    """

    field: str
    name: str
    qualified_on: date
    agreement_version: int = 0
    currency: str = ""
    policy: str = ""


class Addend(NamedTuple):
    """A number that is added to one measure, at its index in MEASURES, of a tally of each field."""

    agreement_version: int
    currency: str
    policy: str
    measure: int
    number: int


class TallySums(NamedTuple):
    """The sums of a group, under one version of the agreement, of one currency, as of Tally; a group may be unknown."""

    group: str | None
    agreement_version: int
    currency: str
    qualified: int
    assigned: int
    accepted: int
    rejected: int
    contacted: int
    won: int
    lost: int
    recycled: int
    merged: int
    wins: int
    met: int
    broken: int
    cents: int


class Contribution(NamedTuple):
    """What one handoff adds to the tallies: the same numbers in each field."""

    qualified_on: date
    names: tuple[tuple[str, str], ...]
    addends: tuple[Addend, ...]


def category_of(facts: HandoffFacts) -> Category:
    """The category of a handoff."""
    return Category(*(getattr(facts, it) or "" for it in Category._fields))


def categorised(facts: HandoffFacts) -> HandoffFacts:
    """The facts with their category, once it is known when the lead qualified."""
    known = facts.qualified_at is not None
    return facts._replace(category_id=category_id(category_of(facts)) if known else None)


@lru_cache(maxsize=20_000)
def category_id(category: Category) -> str:
    """The id of a category, which is the same wherever it is computed. No name holds U+0000."""
    names = "\0".join(category).encode("utf-8", "surrogatepass")
    return blake2b(names, digest_size=12).hexdigest()


def tally_changes(
    pairs: Iterable[tuple[HandoffFacts, HandoffFacts]],
) -> dict[Tally, list[int]]:
    """How the sums change, by MEASURES, given the facts of each handoff before and after."""
    changes: dict[Tally, list[int]] = {}
    for before, after in pairs:
        removed, added = contribution_of(before), contribution_of(after)
        if removed != added:
            _add(changes, removed, -1)
            _add(changes, added, 1)
    return {tally: sums for tally, sums in changes.items() if any(sums)}


def tallies_of(handoffs: Iterable[HandoffFacts]) -> dict[Tally, list[int]]:
    """The sums of these handoffs."""
    sums: dict[Tally, list[int]] = {}
    for facts in handoffs:
        _add(sums, contribution_of(facts), 1)
    return sums


def contribution_of(facts: HandoffFacts) -> Contribution | None:
    """What a handoff adds; None before it is known when it qualified, and where no category was given to it yet."""
    if facts.qualified_at is None or facts.category_id is None:
        return None
    fields = (*zip(Category._fields, category_of(facts), strict=True), ("rep", facts.rep or ""))
    return Contribution(
        facts.qualified_at.astimezone(UTC).date(),
        (*fields, (CATEGORY, facts.category_id)),
        tuple(_addends(facts)),
    )


def stages_of(facts: HandoffFacts) -> Iterator[str]:
    """The stages of the funnel that count a handoff."""
    if facts.outcome == Outcome.MERGED:
        yield "merged"
        return
    reached = {
        "qualified": True,
        "assigned": facts.assigned_at is not None,
        "accepted": facts.accepted_at is not None,
        "rejected": facts.rejected_at is not None and facts.accepted_at is None,
        "contacted": facts.contacted_at is not None,
        "won": facts.outcome == Outcome.WON,
        "lost": facts.outcome == Outcome.LOST,
        "recycled": facts.outcome == Outcome.RECYCLED,
    }
    yield from (stage for stage, is_reached in reached.items() if is_reached)


def _addends(facts: HandoffFacts) -> Iterator[Addend]:
    version = facts.agreement_version or 0
    for stage in stages_of(facts):
        yield Addend(version, "", "", STAGES.index(stage), 1)
    if facts.outcome == Outcome.WON:
        yield Addend(0, facts.currency or "", "", WINS, 1)
        yield Addend(0, facts.currency or "", "", CENTS, facts.amount_cents or 0)
    if facts.outcome != Outcome.MERGED:
        for policy, counts in sorted(facts.promises.items()):
            yield Addend(0, "", policy, MET, counts.met)
            yield Addend(0, "", policy, BROKEN, counts.broken)


def _add(changes: dict[Tally, list[int]], contribution: Contribution | None, sign: int) -> None:
    if contribution is None:
        return
    on = contribution.qualified_on
    for field, name in contribution.names:
        for version, currency, policy, measure, number in contribution.addends:
            tally = Tally(field, name, on, version, currency, policy)
            sums = changes.get(tally)
            if sums is None:
                sums = changes[tally] = [0] * len(MEASURES)
            sums[measure] += sign * number


def funnels_of(sums: Iterable[TallySums]) -> list[Funnel]:
    """The funnel of each group that has any handoff."""
    groups: dict[str | None, list[TallySums]] = {}
    for row in sums:
        groups.setdefault(row.group, []).append(row)
    known = {group: rows for group, rows in groups.items() if any(map(has_handoffs, rows))}
    counts = [_stage_counts(group, rows) for group, rows in known.items()]
    wins = [
        WinSum(group, it.currency or None, it.wins, it.cents)
        for group, rows in known.items()
        for it in rows
        if it.wins
    ]
    promises = [
        PromiseCounts(group, sum(it.met for it in rows), sum(it.broken for it in rows))
        for group, rows in known.items()
    ]
    return funnels(counts, wins, promises)


def has_handoffs(sums: TallySums) -> bool:
    """Whether these sums count handoffs, each of which is either qualified or merged."""
    return bool(sums.qualified or sums.merged)


def _stage_counts(group: str | None, rows: Sequence[TallySums]) -> StageCounts:
    versions = [it.agreement_version for it in rows if it.agreement_version and has_handoffs(it)]
    counts = {it: sum(getattr(row, it) for row in rows) for it in STAGES}
    return StageCounts(group, min(versions, default=None), max(versions, default=None), **counts)


def differences(
    stored: Mapping[Tally, list[int]], counted: Mapping[Tally, list[int]]
) -> dict[Tally, list[int]]:
    """What the stored sums lack of the counted ones; negative where they have too much."""
    nothing = [0] * len(MEASURES)
    missing = {
        tally: [
            right - wrong
            for right, wrong in zip(
                counted.get(tally, nothing), stored.get(tally, nothing), strict=True
            )
        ]
        for tally in {*stored, *counted}
    }
    return {tally: sums for tally, sums in missing.items() if any(sums)}
