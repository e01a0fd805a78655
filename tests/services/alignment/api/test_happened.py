"""What became of campaigns' leads is what plain loops count, each thing on the day on which it happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy.orm import Session

from services.alignment.domain.outcomes import OutcomeSum
from services.alignment.queries.outcomes import outcome_sums
from tests.seeds import random_of
from tests.services.alignment.builders import News, read
from tests.services.alignment.counted_days import count_days
from tests.services.alignment.histories import random_stories
from tests.services.alignment.measured_oracle import Facts, facts_of

pytestmark = pytest.mark.postgres

LEADS = 80
FIRST, LAST = date(2026, 10, 12), date(2026, 11, 8)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def happened(facts: Facts) -> Iterator[tuple[str, str, datetime | None, int]]:
    """Each stage of a lead, its detail, when it was, and the cents of a win."""
    if facts.is_merged:
        return
    yield "qualified", "", facts.at, 0
    yield "accepted", "", facts.accepted_at, 0
    yield "contacted", "", facts.contacted_at, 0
    if facts.is_rejected and facts.rejection:
        yield "rejected", facts.rejection.reason or "", facts.rejection.occurred_at, 0
    if facts.is_won and facts.end:
        cents = round((facts.end.amount or 0) * 100)
        currency = "" if facts.end.amount is None else facts.end.currency or ""
        yield "won", currency, facts.end.occurred_at, cents


def expected(every: list[Facts]) -> dict[tuple[str, str, str], tuple[int, int]]:
    handoffs, cents = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    for facts in every:
        for stage, detail, at, worth in happened(facts):
            if at is not None and FIRST <= at.date() <= LAST:
                handoffs[facts.campaign, stage, detail] += 1
                cents[facts.campaign, stage, detail] += worth
    return {key: (number, cents[key]) for key, number in handoffs.items()}


def by_key(sums: list[OutcomeSum]) -> dict[tuple[str, str, str], tuple[int, int]]:
    return {
        (it.campaign or "", it.stage.value, it.detail or ""): (it.handoffs, it.cents) for it in sums
    }


@pytest.mark.parametrize("counted", [0, 0.5, 1], ids=["no_day", "some_days", "all_days"])
def test_outcomes_are_what_a_plain_fold_counts(session: Session, counted: float) -> None:
    chance = random_of(11)
    stories = random_stories(chance, LEADS, "11")
    news: list[News] = [it for story in stories for it in story.news]
    chance.shuffle(news)
    for begin in range(0, len(news), 150):
        read(session, *sorted(news[begin : begin + 150], key=lambda it: type(it).__name__))
        if begin == 300:
            count_days(session, chance, counted)
    count_days(session, chance, counted)
    bounds = midnight(FIRST), midnight(LAST + timedelta(days=1))

    sums = outcome_sums(session, *bounds)

    assert by_key(sums) == expected(list(map(facts_of, stories)))
    of_autumn = outcome_sums(session, *bounds, campaign="autumn")
    assert by_key(of_autumn) == by_key([it for it in sums if it.campaign == "autumn"])
