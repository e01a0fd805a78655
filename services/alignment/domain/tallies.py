"""Tallies: the sums of handoffs that the funnel is computed from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.alignment.domain.funnel import (
    Funnel,
    PromiseCounts,
    Stage,
    StageCounts,
    WinSum,
    funnels,
)


class Tally(NamedTuple):
    """The sums of the handoffs of a group, which may be unknown, under one version of the agreement.

    Those that were won for amounts in one currency are summed apart; the others have none. Version 0 is unknown.
    """

    group: str | None
    agreement_version: int
    currency: str | None
    qualified: int
    assigned: int
    accepted: int
    rejected: int
    contacted: int
    won: int
    lost: int
    recycled: int
    merged: int
    cents: int
    met: int
    broken: int


def funnels_of(tallies: Iterable[Tally]) -> list[Funnel]:
    """The funnel of each group."""
    groups: dict[str | None, list[Tally]] = {}
    for tally in tallies:
        groups.setdefault(tally.group, []).append(tally)
    return funnels(
        [_stage_counts(group, rows) for group, rows in groups.items()],
        [win for group, rows in groups.items() for win in _win_sums(group, rows)],
        [
            PromiseCounts(group, sum(it.met for it in rows), sum(it.broken for it in rows))
            for group, rows in groups.items()
        ],
    )


def _stage_counts(group: str | None, rows: Sequence[Tally]) -> StageCounts:
    versions = [it.agreement_version for it in rows if it.agreement_version]
    counts = {it.value: sum(getattr(row, it.value) for row in rows) for it in Stage}
    return StageCounts(group, min(versions, default=None), max(versions, default=None), **counts)


def _win_sums(group: str | None, rows: Sequence[Tally]) -> list[WinSum]:
    sums: dict[str | None, WinSum] = {}
    for row in (it for it in rows if it.won):
        before = sums.get(row.currency, WinSum(group, row.currency, 0, 0))
        sums[row.currency] = before._replace(
            wins=before.wins + row.won, cents=before.cents + row.cents
        )
    return list(sums.values())
