"""The credit of wins is what plain loops say at every moment: before days are counted, while, and afterwards."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.alignment.domain.attribution import CreditBy, Terms
from services.alignment.domain.credits import MAX_UNCOUNTED, NotCounted
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.handlers.credits import count_oldest_credits
from services.alignment.queries.credit_counts import count_credits as count_day
from services.alignment.queries.credit_counts import delete_marks
from services.alignment.queries.credits import credits_in
from services.alignment.tables import credit_days, daily_credits, stale_credits
from shared.agreement.store import Policies
from shared.contracts.payloads import Change
from shared.contracts.touches import TouchCause
from shared.db.session import Sessions
from shared.db.time_range import TimeRange
from tests.builders import NOON, days
from tests.seeds import random_of
from tests.services.alignment.builders import News, lead_touched, numbered, qualified, read, step
from tests.services.alignment.credit_oracle import Answer, Key, expected_credit
from tests.services.alignment.folding import count_credits

pytestmark = pytest.mark.postgres

TODAY = NOON.date()
MIDNIGHT = NOON.replace(hour=0)
DEFAULTS = Terms(days(90), days(7))
SHORT = Terms(days(2), timedelta(hours=5))
WHOLE = TimeRange(MIDNIGHT - days(60), MIDNIGHT + days(60))
FOUR_DAYS = TimeRange(MIDNIGHT + days(2), MIDNIGHT + days(6))


def random_wins(seed: int, leads: int) -> list[News]:
    """The news of leads that were won within ten days, and of some that were not, mixed."""
    chance = random_of(seed)
    news: list[News] = []
    for number in range(leads):
        for qualification in range(1, chance.choice([2, 2, 3])):
            of_lead: dict[str, Any] = {"lead": f"{seed}/{number}", "qualification": qualification}
            amount = chance.choice([None, 0.0, 0.01, 0.07, 100.0, 12_345.67, 10**9])
            fields = {"amount": amount, "currency": chance.choice(["EUR", "USD"])}
            end = step(Change.WON, chance.randrange(60 * 24 * 10), **fields, **of_lead)
            if chance.random() < 0.2:
                end = step(Change.LOST, 5, reason="budget", **of_lead)
            news += [qualified(**of_lead), *numbered(step(Change.ASSIGNED, **of_lead), end)]
            for cause in chance.sample([*TouchCause], chance.randrange(3)):
                campaigns = chance.choices(
                    ["autumn", "spring", "winter", None], k=chance.randrange(6)
                )
                channel = chance.choice(["email", "event", "social"])
                news.append(lead_touched(*campaigns, cause=cause, channel=channel, **of_lead))
    chance.shuffle(news)
    return news


def answer(session: Session, times: TimeRange, by: CreditBy, terms: Terms) -> Answer:
    """What a report says, without groups that have no credit."""
    report = credits_in(session, times, by, terms)
    cents, wins = dict[Key, int](), dict[Key, int]()
    for group, credit in report.groups.items():
        for model in credit.cents:
            key = Key(*group, model.value)
            cents[key], wins[key] = credit.cents[model], credit.wins[model]
    nonzero = [{key: number for key, number in it.items() if number} for it in (cents, wins)]
    return Answer(report.won, report.unknown, *nonzero)


KINDS = (
    (WHOLE, CreditBy.CAMPAIGN, DEFAULTS),
    (WHOLE, CreditBy.CHANNEL, SHORT),
    (FOUR_DAYS, CreditBy.CHANNEL, DEFAULTS),
)


def check(session: Session) -> None:
    """Reports are what the loops say, by the terms that are counted and by others."""
    for kind in KINDS:
        assert answer(session, *kind) == expected_credit(session, *kind)


def count(session: Session, table: Any) -> int:
    """How many rows the table has."""
    return session.scalars(select(func.count()).select_from(table)).one()


def days_marked(session: Session) -> set[date]:
    """The days whose wins have changed."""
    return set(session.scalars(select(stale_credits.c.day)))


def count_by(session: Session, terms: Terms) -> None:
    """Count every day that is marked by these terms."""
    for day in days_marked(session):
        delete_marks(session, day)
        count_day(session, day, terms)


@pytest.mark.parametrize("seed", range(3))
def test_credit_is_what_loops_say_in_any_order_batching_and_repetition(
    session: Session, seed: int
) -> None:
    chance = random_of(seed)
    news = random_wins(seed, 30)
    news += chance.sample(news, len(news) // 3)
    while news:
        size = chance.randrange(10, 100)
        batch, news = news[:size], news[size:]
        read(session, *sorted(batch, key=lambda it: type(it).__name__))
        for _ in range(chance.randrange(8)):
            count_oldest_credits(session, Policies(AlignmentPolicy))
        check(session)

    count_credits(session)
    assert days_marked(session) == set()
    check(session)
    assert count(session, daily_credits) > 50


def test_what_is_read_again_makes_no_day_stale(session: Session) -> None:
    news = random_wins(4, 20)
    read(session, *news)
    count_credits(session)

    read(session, *news)

    assert days_marked(session) == set()


def test_days_that_were_counted_by_other_terms_are_counted_again(session: Session) -> None:
    read(session, *random_wins(5, 20))
    count_by(session, SHORT)
    check(session)

    assert count_credits(session) == count(session, credit_days) > 5
    check(session)
    assert set(session.scalars(select(credit_days.c.terms))) == {DEFAULTS.key}
    assert count_credits(session) == 0


@pytest.mark.parametrize("minute", [9, 60 * 24 * 3], ids=["on the day", "days later"])
def test_touches_that_arrive_after_the_win_make_its_day_stale(
    session: Session, minute: float
) -> None:
    won = step(Change.WON, minute, amount=10.0, currency="EUR")
    read(session, qualified(), *numbered(step(Change.ASSIGNED), won))
    count_credits(session)
    check(session)

    read(session, lead_touched("spring", "autumn"))

    assert days_marked(session) == {TODAY + timedelta(minutes=minute)}
    check(session)
    count_credits(session)
    check(session)


def test_touches_of_a_lead_that_is_not_won_mark_nothing(session: Session) -> None:
    lost = step(Change.LOST, 9, reason="budget")
    read(session, qualified(), *numbered(step(Change.ASSIGNED), lost), qualified("emmy"))

    read(
        session,
        lead_touched("spring"),
        lead_touched("spring", lead="emmy"),
        lead_touched("spring", lead="kurt"),
    )

    assert days_marked(session) == set()


STATEMENTS = {
    "moved": "update alignment.handoffs set closed_at = closed_at + interval '3 days'",
    "worth more": "update alignment.handoffs set amount_cents = amount_cents * 3 + 1",
    "worth nothing known": "update alignment.handoffs set amount_cents = null, currency = null",
    "without a currency": "update alignment.handoffs set currency = null where currency = 'USD'",
    "lost": "update alignment.handoffs set outcome = 'lost' where currency = 'USD'",
    "deleted": "delete from alignment.handoffs where currency = 'USD'",
    "copied": "insert into alignment.handoffs (lead_id, qualification, closed_at, outcome, currency, amount_cents) "
    "select lead_id, qualification + 10, closed_at, outcome, currency, amount_cents from alignment.handoffs",
    "all deleted": "truncate alignment.handoffs",
    "touches cut": "update alignment.touches set touches = '[]'",
    "touches of others": "update alignment.touches set qualification = qualification + 1 where qualification = 2",
    "touches deleted": "delete from alignment.touches where qualification = 1",
    "all touches deleted": "truncate alignment.touches",
    "known earlier": "update alignment.touches set known_at = known_at - interval '2 days'",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_no_statement_by_hand_makes_credit_wrong(session: Session, statement: str) -> None:
    read(session, *random_wins(6, 15))
    count_credits(session)
    session.execute(text(statement))

    check(session)
    count_credits(session)
    check(session)


def test_what_commits_while_its_day_is_counted_is_counted_again(sessions: Sessions) -> None:
    with sessions.begin() as session:
        won = step(Change.WON, 9, amount=10.0, currency="EUR")
        read(session, qualified(), *numbered(step(Change.ASSIGNED), won))
    with sessions.begin() as counting:
        delete_marks(counting, TODAY)
        with sessions.begin() as session:
            read(session, lead_touched("spring"))
        check_in(sessions)
        count_day(counting, TODAY, DEFAULTS)
        check_in(sessions)
    check_in(sessions)
    with sessions.begin() as session:
        assert count_credits(session) == 1
    check_in(sessions)


def test_what_was_begun_before_its_day_was_counted_is_counted_after_it(sessions: Sessions) -> None:
    with sessions.begin() as session:
        won = step(Change.WON, 9, amount=10.0, currency="EUR")
        read(session, qualified(), *numbered(step(Change.ASSIGNED), won))
    with sessions.begin() as session:
        read(session, lead_touched("spring"))
        with sessions.begin() as counting:
            assert count_oldest_credits(counting, Policies(AlignmentPolicy))
        check_in(sessions)
    check_in(sessions)
    with sessions.begin() as session:
        assert count_credits(session) == 1
    check_in(sessions)


def check_in(sessions: Sessions) -> None:
    with sessions() as session:
        check(session)


ADD_WINS = """
    insert into alignment.handoffs (lead_id, qualification, closed_at, qualified_at, outcome, currency, amount_cents)
    select gen_random_uuid(), 1, at, at, 'won', 'EUR', 1
    from (select cast(:at as timestamptz) + number % 3 * interval '1 day' as at
        from generate_series(1, :wins) as number) as win
"""


def test_any_number_of_wins_is_credited_once_their_days_are_counted(session: Session) -> None:
    wins = MAX_UNCOUNTED + 1
    session.execute(text(ADD_WINS), {"at": NOON, "wins": wins})

    with pytest.raises(NotCounted, match="name a shorter period"):
        credits_in(session, WHOLE, CreditBy.CAMPAIGN, DEFAULTS)
    assert (
        credits_in(
            session, TimeRange(MIDNIGHT, MIDNIGHT + days(1)), CreditBy.CAMPAIGN, DEFAULTS
        ).won
        == wins // 3
    )

    assert count_credits(session) == 3
    report = credits_in(session, WHOLE, CreditBy.CAMPAIGN, DEFAULTS)
    [credit] = report.groups.values()
    assert (report.won, report.unknown) == (wins, 0)
    assert set(credit.cents.values()) == set(credit.wins.values()) == {wins}
