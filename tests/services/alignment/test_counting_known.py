"""Counts of known leads are the fold over their records at every moment, whatever days are stale or counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.alignment.domain.groups import Groups
from services.alignment.domain.known import FIELDS
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.handlers.counting import count_oldest_day
from services.alignment.queries.known import KnownSelection, known_counts, known_groups
from services.alignment.queries.stale_days import STALE_DAYS
from services.alignment.tables import daily_leads
from shared.agreement.store import Policies
from shared.contracts.known import LeadKnown
from shared.db.time_range import ALWAYS, TimeRange
from tests.builders import NOON, an_id, days
from tests.seeds import random_of
from tests.services.alignment.builders import lead_known, read
from tests.services.alignment.folding import count_all

pytestmark = pytest.mark.postgres

MIDNIGHT = NOON.replace(hour=0)
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"campaign": "autumn"},
    {"source": "", "persona": "buyer"},
)
PERIODS = (
    ALWAYS,
    TimeRange(MIDNIGHT - days(9), MIDNIGHT - days(2)),
    TimeRange(MIDNIGHT - days(3), MIDNIGHT + days(1)),
    TimeRange(MIDNIGHT + days(1), None),
)


def random_records(chance: Random, lead: str) -> Iterator[LeadKnown]:
    """The records of a lead: its instants move back, it becomes engaged, and may be merged into another."""
    known_at = NOON - days(chance.randrange(10))
    engaged_at = None
    campaign = chance.choice(["autumn", "spring", None])
    for sequence in range(1, chance.randrange(2, 6)):
        known_at -= days(chance.choice([0, 0, 0.3, 2]))
        if engaged_at is not None or chance.random() < 0.5:
            engaged_at = max(known_at, (engaged_at or NOON) - days(chance.choice([0, 1])))
        yield lead_known(
            lead,
            sequence=sequence,
            known_at=known_at,
            engaged_at=engaged_at,
            campaign=campaign,
            source=chance.choice(["website", "crm", None]),
            channel=chance.choice(["email", None]),
            persona=chance.choice(["buyer", None]),
            merged_into=an_id("other") if sequence == 4 and chance.random() < 0.5 else None,
        )


def folded(
    records: Sequence[LeadKnown], times: TimeRange, by: str | None, where: dict[str, str]
) -> dict[str | None, tuple[int, int]]:
    """Known and engaged by group, counted by a plain loop over the last record of each lead."""
    last: dict[object, LeadKnown] = {}
    for record in sorted(records, key=lambda it: it.sequence):
        last[record.lead_id] = record
    known, engaged = Counter[str | None](), Counter[str | None]()
    for lead in last.values():
        group = None if by is None else getattr(lead, by)
        is_selected = all((getattr(lead, it) or "") == value for it, value in where.items())
        if lead.merged_into is not None or not is_selected:
            continue
        known[group] += lies_in(times, lead.known_at)
        engaged[group] += lead.engaged_at is not None and lies_in(times, lead.engaged_at)
    groups = {*+known, *+engaged}
    return {it: (known[it], engaged[it]) for it in groups}


def lies_in(times: TimeRange, instant: datetime) -> bool:
    """Whether the instant lies in these times."""
    return (times.since is None or times.since <= instant) and (
        times.until is None or instant < times.until
    )


def check(session: Session, records: Sequence[LeadKnown]) -> None:
    """The counts of all periods, groups and filters are those of the fold."""
    for times in PERIODS:
        for by in (*FIELDS, None):
            for where in FILTERS:
                counts = known_counts(session, KnownSelection(times, where), by)
                assert {it.group: (it.known, it.engaged) for it in counts} == folded(
                    records, times, by, where
                )


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_the_fold_in_any_order_batching_and_repetition(
    session: Session, seed: int
) -> None:
    chance = random_of(seed)
    news = [it for number in range(40) for it in random_records(chance, f"lead {number}")]
    news += chance.sample(news, len(news) // 3)
    chance.shuffle(news)
    done: list[LeadKnown] = []
    while news:
        size = chance.randrange(10, 60)
        batch, news = news[:size], news[size:]
        read(session, *batch)
        done += batch
        for _ in range(chance.randrange(12)):
            count_oldest_day(session, Policies(AlignmentPolicy))
        check(session, done)

    count_all(session)
    assert session.scalars(select(STALE_DAYS.c.day)).all() == []
    check(session, done)
    assert (
        sum(session.scalars(select(daily_leads.c.known))) == folded(done, ALWAYS, None, {})[None][0]
    )


def test_each_lead_is_known_before_it_is_engaged(session: Session) -> None:
    chance = random_of(7)
    news = [it for number in range(60) for it in random_records(chance, f"lead {number}")]
    read(session, *news)

    [counts] = known_counts(session, KnownSelection(ALWAYS), None)

    assert counts.known >= counts.engaged > 0


def test_groups_of_a_condition_are_those_of_stale_and_of_counted_days(session: Session) -> None:
    read(session, lead_known("ada", campaign="autumn", source="crm"), lead_known("bob"))
    before = known_groups(session, ALWAYS, ("campaign", "source"), limit=9)
    count_all(session)

    assert sorted(before) == [("", ""), ("autumn", "crm")]
    assert sorted(known_groups(session, ALWAYS, ("campaign", "source"), limit=9)) == sorted(before)
    assert len(known_groups(session, ALWAYS, ("campaign", "source"), limit=1)) == 1
    assert known_groups(session, ALWAYS, (), limit=9) == [()]
    autumn = KnownSelection(ALWAYS, groups=Groups(("campaign",), (("autumn",),)))
    assert [tuple(it) for it in known_counts(session, autumn, "source")] == [("crm", 1, 0)]


def test_leads_that_are_truncated_are_counted_no_more(session: Session) -> None:
    read(session, lead_known("ada"))
    count_all(session)
    session.connection().exec_driver_sql("truncate alignment.leads")

    assert known_counts(session, KnownSelection(ALWAYS), None) == []
