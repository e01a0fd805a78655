"""Reports are the fold over all handoffs at every moment: while days are stale, while they are counted, afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts
from services.alignment.domain.groups import Groups
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.handlers.counting import count_oldest_day
from services.alignment.queries import stale_days
from services.alignment.queries.reports import funnels_by
from services.alignment.queries.selection import UNKNOWN, GroupBy, Selection
from services.alignment.queries.tallies import groups_in, is_tallied
from services.alignment.tables import handoffs, metadata
from shared.agreement.store import Policies
from shared.contracts.payloads import Change, ClockChange
from shared.db.session import Sessions
from shared.db.time_range import ALWAYS, TimeRange
from tests.builders import NOON, days, sla_changed
from tests.plans import rows_read, scans
from tests.seeds import random_of
from tests.services.alignment.builders import News, history, qualified, read, step
from tests.services.alignment.folding import check_all, check_reports, count_all, folded
from tests.services.alignment.histories import random_stories

pytestmark = pytest.mark.postgres

TODAY = NOON.date()
MIDNIGHT = NOON.replace(hour=0)


def random_news(seed: int, leads: int) -> list[News]:
    """The news of so many leads of seven weeks, mixed."""
    chance = random_of(seed)
    news = [it for story in random_stories(chance, leads, f"{seed}") for it in story.news]
    chance.shuffle(news)
    return news


def days_marked(session: Session) -> set[date]:
    """The days that are marked, with those of marked handoffs."""
    return set(session.scalars(select(stale_days.STALE_DAYS.c.day)))


def count(session: Session, name: str) -> int:
    """How many rows a table of alignment has."""
    table = metadata.tables[f"alignment.{name}"]
    return session.scalars(select(func.count()).select_from(table)).one()


@pytest.mark.parametrize("seed", range(3))
def test_reports_are_the_fold_in_any_order_batching_and_repetition(
    session: Session, seed: int
) -> None:
    chance = random_of(seed)
    news = random_news(seed, 20)
    news += chance.sample(news, len(news) // 3)
    while news:
        size = chance.randrange(1, 60)
        batch, news = news[:size], news[size:]
        read(session, *sorted(batch, key=lambda it: type(it).__name__))
        for _ in range(chance.randrange(12)):
            count_oldest_day(session, Policies(AlignmentPolicy))
        check_reports(session)

    check_all(session)
    count_all(session)
    assert days_marked(session) == set()
    check_all(session)


def test_what_is_read_again_makes_no_day_stale(session: Session) -> None:
    news = random_news(4, 10)
    read(session, *news)
    count_all(session)

    read(session, *news)

    assert days_marked(session) == set()
    assert count(session, "daily_tallies") > 0


def test_a_change_makes_the_days_stale_on_which_anything_of_the_handoff_is_dated(
    session: Session,
) -> None:
    read(session, qualified(at=NOON))
    count_all(session)

    read(session, *history(step(Change.ACCEPTED, 60 * 24), step(Change.CONTACTED, 60 * 48)))

    assert days_marked(session) == {TODAY + timedelta(days=it) for it in range(3)}


def test_a_promise_makes_its_due_date_stale_and_the_day_of_its_handoff(session: Session) -> None:
    read(session, qualified(at=NOON), step(Change.ASSIGNED))
    count_all(session)

    read(session, sla_changed(ClockChange.MET, due_on=TODAY + timedelta(days=9)))
    assert days_marked(session) == {TODAY, TODAY + timedelta(days=9)}

    count_all(session)
    assert count(session, "stale_handoffs") == 0
    check_reports(session)


def test_a_promise_is_counted_once_its_handoff_is_known(session: Session) -> None:
    read(session, sla_changed(ClockChange.MET))
    count_all(session)
    assert count(session, "stale_handoffs") == 0

    read(session, qualified(at=NOON), step(Change.ASSIGNED))
    assert TODAY in days_marked(session)

    count_all(session)
    [funnel] = funnels_by(session, Selection(ALWAYS), GroupBy.TEAM)
    assert funnel.promises_met == 1


STATEMENTS = {
    "moved": "update alignment.handoffs set qualified_at = qualified_at + interval '3 days'",
    "changed": "update alignment.handoffs set team = 'apac'",
    "deleted": "delete from alignment.handoffs where tier = 'standard'",
    "copied": "insert into alignment.handoffs (lead_id, qualification, qualified_at) "
    "select lead_id, qualification + 10, qualified_at from alignment.handoffs",
    "all deleted": "truncate alignment.handoffs",
    "promises changed": "update alignment.promises set breached_at = null, met_at = now(), retracted_at = null",
    "promises deleted": "delete from alignment.promises",
    "all promises deleted": "truncate alignment.promises",
    "promises of others": "update alignment.promises set handoff_id = "
    "(select handoff_id from alignment.handoffs where handoff_id is not null limit 1)",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_no_statement_by_hand_makes_a_report_wrong(session: Session, statement: str) -> None:
    read(session, *random_news(6, 15))
    count_all(session)
    session.execute(text(statement))

    check_reports(session)
    count_all(session)
    check_reports(session)


def test_a_day_is_that_of_utc_whatever_the_time_zone_of_the_session(session: Session) -> None:
    session.execute(text("set local time zone 'Pacific/Auckland'"))
    read(session, qualified(at=NOON.replace(hour=23)))

    assert days_marked(session) == {TODAY}
    assert count_oldest_day(session, Policies(AlignmentPolicy))
    check_reports(session)


SELECTIONS: list[dict[str, Any]] = [
    {},
    {"campaign": "autumn"},
    {"campaign": ""},
    {"campaign": "autumn", "tier": "standard"},
    {"persona": "buyer", "channel": "email"},
    {"team": "sales"},
    {"rep": "grace"},
    {"team": "sales", "rep": "grace"},
    {"groups": Groups(("team",), (("sales",),))},
    {"rep": "grace", "tier": "standard"},
    {"times": TimeRange(MIDNIGHT - days(20), MIDNIGHT - days(10))},
    {"times": TimeRange(MIDNIGHT + days(1), None)},
    {"times": TimeRange(NOON - days(7), None)},
    {"groups": Groups(("team", "channel"), (("emea", "email"), ("sales", "")))},
    {"groups": Groups(("team",), ())},
    {"groups": Groups((), ((),))},
]


@pytest.fixture(scope="module")
def half_counted(module_sessions: Sessions) -> Sessions:
    """Leads of seven weeks; about half of the days are stale."""
    with module_sessions.begin() as session:
        read(session, *random_news(5, 40))
        marked = sorted(days_marked(session))
        for _ in range(len(marked) // 2):
            assert count_oldest_day(session, Policies(AlignmentPolicy))
    return module_sessions


@pytest.mark.parametrize("parameters", SELECTIONS, ids=str)
@pytest.mark.parametrize("group_by", GroupBy)
def test_a_report_of_a_selection_is_the_fold(
    half_counted: Sessions, group_by: GroupBy, parameters: dict[str, Any]
) -> None:
    selection = Selection(**{"times": ALWAYS, **parameters})

    with half_counted() as session:
        report = funnels_by(session, selection, group_by)
        assert report == folded(session, group_by, selected_by(selection))


COUNTED_BY_DAY = [
    (selection, group_by)
    for selection in (Selection(**{"times": ALWAYS, **it}) for it in SELECTIONS)
    for group_by in (GroupBy.CAMPAIGN, GroupBy.REP)
    if is_tallied(selection, group_by)
]


@pytest.mark.parametrize(("selection", "group_by"), COUNTED_BY_DAY, ids=str)
def test_a_report_reads_the_handoffs_of_stale_days_alone(
    half_counted: Sessions, selection: Selection, group_by: GroupBy
) -> None:
    with half_counted() as session:
        session.execute(text("set local enable_seqscan = off"))  # as of a table with many rows
        stale = days_marked(session)
        of_stale_days = session.scalars(
            select(func.count()).where(func.date(handoffs.c.qualified_at).in_(stale))
        ).one()
        of_all, marks = (count(session, it) for it in ("handoffs", "stale_leads"))
        nodes = scans(session, lambda: funnels_by(session, selection, group_by))

    rows = sum(rows_read(it) for it in nodes if it.get("Relation Name") == "handoffs")
    rounded = len(stale)  # PostgreSQL tells the mean of all days
    assert of_stale_days > 0
    assert rows <= of_stale_days + marks + rounded < of_all


def selected_by(selection: Selection) -> Callable[[HandoffFacts], bool]:
    """Whether a handoff is selected, in Python."""
    since, until = selection.times
    groups = selection.groups

    def is_selected(facts: HandoffFacts) -> bool:
        at = facts.qualified_at
        assert at is not None
        return (
            (since is None or at >= since)
            and (until is None or at < until)
            and all(
                (getattr(facts, it.value) or UNKNOWN) == value
                for it, value in selection.filters.items()
            )
            and (
                groups is None
                or tuple(getattr(facts, it) or "" for it in groups.fields) in groups.members
            )
        )

    return is_selected


@pytest.mark.parametrize("fields", [(), ("team",), ("rep",), ("team", "campaign", "persona")])
def test_the_groups_of_a_condition_are_those_of_all_handoffs(
    half_counted: Sessions, fields: tuple[str, ...]
) -> None:
    with half_counted() as session:
        groups = groups_in(session, ALWAYS, fields, limit=1000)
        facts = [it.counts.group or "" for it in folded(session, GroupBy.TEAM)]

    assert len(groups) == len(set(groups))
    assert fields != ("team",) or sorted(groups) == sorted((it,) for it in facts)
    assert fields != () or groups == [()]


def test_days_have_whole_dates_and_reps_by_team_alone() -> None:
    today = TimeRange(MIDNIGHT, MIDNIGHT + days(1))

    assert is_tallied(Selection(today), GroupBy.REP)
    assert is_tallied(Selection(today, campaign="autumn"), GroupBy.TIER)
    assert is_tallied(Selection(today, team="sales"), GroupBy.REP)
    assert is_tallied(Selection(today, rep="grace"), GroupBy.TEAM)
    assert not is_tallied(Selection(today, rep="grace"), GroupBy.TIER)
    assert not is_tallied(Selection(today, tier="hot"), GroupBy.REP)
    assert not is_tallied(Selection(TimeRange(NOON, None)), GroupBy.TIER)


def test_campaigns_that_are_invented_for_each_lead_add_two_rows_a_lead(session: Session) -> None:
    """That of the campaign, and that of the category; all other fields have as many rows as before."""
    leads = 200
    read(session, *(qualified(f"lead {it}", campaign=f"invented {it}") for it in range(leads)))
    count_all(session)

    assert count(session, "daily_tallies") == 2 * leads + len(GroupBy) - 1
    assert len(funnels_by(session, Selection(ALWAYS), GroupBy.CAMPAIGN)) == leads
    check_reports(session)

    session.execute(text("delete from alignment.handoffs"))
    count_all(session)
    assert count(session, "daily_tallies") == 0
