"""All measures and promises are what plain loops count, whatever the order of news, their batches and repetitions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy.orm import Session

from services.alignment.api.behind import LeadParameters
from services.alignment.api.measures import measures_of
from services.alignment.api.parameters import Parameters
from services.alignment.api.promises import PromiseParameters, promises_to_date
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.queries.measures import leads_behind
from shared.agreement.store import Policies, publish
from tests.builders import NOON
from tests.seeds import random_of
from tests.services.alignment.builders import News, read
from tests.services.alignment.counted_days import count_days
from tests.services.alignment.histories import BEGIN, Story, agreement, random_stories
from tests.services.alignment.measured_oracle import Answer, Facts, MeasuredOracle, Where

pytestmark = pytest.mark.postgres

LEADS = int(os.environ.get("LEADBATON_ORACLE_LEADS", "60"))
"""So many leads each history has; 1000 take a minute each."""
SECOND_VERSION_AT = datetime(2026, 11, 10, tzinfo=UTC)
OCTOBER, NOVEMBER = (date(2026, 10, 1), date(2026, 10, 31)), (date(2026, 11, 1), date(2026, 11, 30))
PERIODS = {"2026-10": OCTOBER, "2026-11": NOVEMBER}
SEEDS = {"no_day_is_counted": (0, 0), "some_days_are": (1, 0.6), "all_days_are": (2, 1)}


def read_in_any_order(
    session: Session, stories: Sequence[Story], seed: int, counted: float = 0
) -> None:
    """Read all news in batches of random sizes and order, a third of them twice.

    In between and at the end this share of the days is counted.
    """
    chance = random_of(seed)
    news: list[News] = [it for story in stories for it in story.news]
    news += chance.sample(news, len(news) // 3)
    chance.shuffle(news)
    whole = len(news)
    while news:
        size = chance.randrange(1, max(80, LEADS))
        batch, news = news[:size], news[size:]
        read(session, *sorted(batch, key=lambda it: type(it).__name__))
        if len(news) * 2 // whole != (len(news) + len(batch)) * 2 // whole:
            count_days(session, chance, counted)


def publish_two(session: Session) -> None:
    publish(session, json.dumps(agreement(50)), by="test", now=BEGIN)
    quota = {"amount": 100_000, "per": "quarter", "marketing_share": 0.5}
    publish(session, json.dumps(agreement(80, quota=quota)), by="test", now=SECOND_VERSION_AT)


Key = tuple[str, str | None, float | None, str | None]


def expected_measures(oracle: MeasuredOracle) -> dict[Key, Answer]:
    """Each measure by its name, what it is of, the share, and the hours."""
    figures: dict[Key, Answer] = {
        ("qualified", None, None, None): oracle.qualified(),
        ("qualified_value", None, None, None): oracle.value(),
        ("acceptance_rate", None, None, None): oracle.acceptance(),
        ("completeness", "country title", None, None): oracle.complete("country", "title"),
        ("attempts", None, None, None): oracle.attempts(),
        ("untouched", None, None, None): oracle.untouched(),
        ("reasons_given", None, None, None): oracle.says_why(),
        ("win_rate", "7d", None, None): oracle.win_rate(7),
        ("capacity", None, None, None): (None, 0),
        ("recycled", None, None, None): (len(oracle.recycled()), len(oracle.recycled())),
        ("qualified_again", None, None, None): oracle.again(lambda _: True),
        ("accepted_again", None, None, None): oracle.again(lambda it: it.accepted_at is not None),
        ("won_again", None, None, None): oracle.again(lambda it: it.is_won),
    }
    for reason in oracle.reasons():
        figures["rejected_share", reason, None, None] = oracle.rejected(reason)
    for policy in ("accept", "first_touch"):
        figures["attainment", policy, None, None] = oracle.attainment(policy)
    for p in (0.5, 0.95):
        figures["handover_time", None, p, "wall"] = oracle.handover(p)
    for p in (0.5, 0.9):
        figures["attempts_spread", None, p, "wall"] = oracle.spread(p)
        for name in ("time_to_accept", "time_to_contact", "time_to_win"):
            figures[name, None, p, "wall"] = oracle.times(name, p, business=False)
            figures[name, None, p, "business"] = oracle.times(name, p, business=True)
    return figures


@pytest.mark.parametrize(("seed", "counted"), SEEDS.values(), ids=SEEDS)
def test_measures_are_what_a_plain_fold_counts_in_any_order(
    session: Session, seed: int, counted: float
) -> None:
    publish_two(session)
    stories = random_stories(random_of(seed), LEADS, str(seed))
    read_in_any_order(session, stories, seed, counted)
    policies = Policies(AlignmentPolicy)

    for period, (first, last) in PERIODS.items():
        report = measures_of(session, policies, Parameters(period=period), NOON)

        figures = {
            (str(it.measure), it.of, it.p, it.hours): (it.value, it.n) for it in report.items
        }
        assert figures == expected_measures(MeasuredOracle(stories, first, last, NOON))
        for item in report.items:
            if item.measure != "capacity" and item.hours != "business":
                assert count_leads(session, policies, item.leads) == item.n, item


FILTERS: Mapping[str, tuple[dict[str, str], Where]] = {
    "team": ({"team": "emea"}, lambda it: it.team == "emea"),
    "tier": ({"tier": "standard"}, lambda it: it.tier == "standard"),
    "unknown_campaign": ({"campaign": ""}, lambda it: it.campaign == ""),
    "two": ({"channel": "email", "source": "ads"}, lambda it: (it.channel, it.source) == ("email", "ads")),
    "condition": ({"where": 'persona == "buyer"'}, lambda it: it.persona == "buyer"),
    "condition_on_two": (
        {"where": 'team == "emea" && source != "ads"'},
        lambda it: it.team == "emea" and it.source != "ads",
    ),
    "filter_and_condition": (
        {"team": "emea", "where": 'team != "sales" && tier == "standard"'},
        lambda it: it.team == "emea" and it.tier == "standard",
    ),
    "nobody": ({"where": "false"}, lambda _: False),
}  # fmt: skip


@pytest.mark.parametrize("name", FILTERS)
def test_narrowed_measures_are_what_a_plain_fold_counts(session: Session, name: str) -> None:
    parameters, where = FILTERS[name]
    publish_two(session)
    stories = random_stories(random_of(7), LEADS, "7")
    read_in_any_order(session, stories, 7, counted=0.6)

    report = measures_of(
        session,
        Policies(AlignmentPolicy),
        Parameters.model_validate({"period": "2026-11", **parameters}),
        NOON,
    )

    figures = {(str(it.measure), it.of, it.p, it.hours): (it.value, it.n) for it in report.items}
    assert figures == expected_measures(MeasuredOracle(stories, *NOVEMBER, NOON, where))


def count_leads(
    session: Session, policies: Policies[AlignmentPolicy], link: str, **also: Any
) -> int:
    """How often the figure counts the leads of the list behind this link."""
    query: Mapping[str, Any] = {**dict(parse_qsl(urlsplit(link).query)), **also}
    behind = LeadParameters.model_validate(query).behind(session, policies, NOON)
    assert behind is not None
    leads = leads_behind(session, behind, after=None, limit=10_000)
    assert len({(it.facts.lead_id, it.facts.qualification) for it in leads}) == len(leads)
    return sum(it.times for it in leads)


CONDITIONS: Mapping[str, Where] = {
    "weekly": lambda it: it.persona == "buyer",
    "value": lambda it: it.team == "emea",
    "quality": lambda it: it.source != "ads",
    "fast": lambda it: it.channel == "email",
    "accepts": lambda it: it.team == "emea",
    "says_why": lambda it: it.campaign.startswith("a"),
    "wins": lambda it: it.tier == "standard",
}


def always(_: Facts) -> bool:
    return True


def expected_promise(name: str, stories: Sequence[Story], first: date, last: date) -> Answer:
    """The value of the promise of this id, and from how many things it is computed."""
    oracle = MeasuredOracle(stories, first, last, NOON, CONDITIONS.get(name, always))
    answers: dict[str, Callable[[], Answer]] = {
        "leads": oracle.qualified,
        "weekly": oracle.qualified,
        "value": oracle.value,
        "quality": oracle.acceptance,
        "complete": lambda: oracle.complete("country", "title"),
        "fast": lambda: oracle.handover(0.95),
        "accepts": lambda: oracle.attainment("accept"),
        "touches": lambda: oracle.attainment("first_touch"),
        "says_why": oracle.says_why,
        "wins": lambda: oracle.win_rate(7),
        "room": lambda: (None, 0),
    }
    return answers[name]()


@pytest.mark.parametrize(("seed", "counted"), SEEDS.values(), ids=SEEDS)
def test_promises_are_what_a_plain_fold_counts_in_any_order(
    session: Session, seed: int, counted: float
) -> None:
    publish_two(session)
    stories = random_stories(random_of(seed), LEADS, str(seed))
    read_in_any_order(session, stories, seed, counted)
    policies = Policies(AlignmentPolicy)

    for period, version, target in (("2026-10", 1, 50), ("2026-11", 2, 80)):
        report = promises_to_date(session, policies, PromiseParameters(period=period), NOON)

        assert report.agreement_version == version
        assert report.items[0].target == target
        for item in report.items:
            last = min(item.until, PERIODS[period][1])
            assert (item.value, item.n) == expected_promise(item.id, stories, item.since, last), (
                item
            )
            if item.measure == "capacity":
                continue  # no lead is behind it
            assert count_leads(session, policies, item.leads) == item.n
            if item.unit == "share" and item.value is not None:
                kept = count_leads(session, policies, item.leads, kept="true")
                broken = count_leads(session, policies, item.leads, kept="false")
                assert (kept, broken) == (round(item.value * item.n), item.n - kept)


def test_the_month_to_date_is_judged_by_its_working_days(session: Session) -> None:
    publish_two(session)
    stories = random_stories(random_of(1), LEADS, "1")
    read_in_any_order(session, stories, 1)

    report = promises_to_date(
        session, Policies(AlignmentPolicy), PromiseParameters(period="2026-11"), NOON
    )

    leads = report.items[0]
    assert (leads.since, leads.until) == NOVEMBER
    assert (leads.working_days_passed, leads.working_days) == (12, 21)  # to the 17th, a Tuesday
    assert leads.due == pytest.approx(80 * 12 / 21)
