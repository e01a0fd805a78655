"""Reports read sums that are the fold over all handoffs, whatever an older version or a fault has left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.alignment.domain.funnel import Funnel, funnels
from services.alignment.domain.tallies import differences, tallies_of
from services.alignment.queries.facts import facts_on
from services.alignment.queries.funnel import promise_counts, stage_counts, win_sums
from services.alignment.queries.reports import funnels_by
from services.alignment.queries.selection import GroupBy, Selection
from services.alignment.queries.tallies import is_tallied, merge_changes, tallies_on
from services.alignment.recount import recount
from services.alignment.tables import metadata
from services.alignment.upkeep import keep_up
from shared.contracts.payloads import Change, ClockChange
from shared.db.session import Sessions
from shared.db.time_range import ALWAYS, TimeRange
from tests.builders import NOON, days, sla_changed
from tests.engine import PATIENCE_S, until
from tests.seeds import random_of
from tests.services.alignment.builders import random_news, read, step

pytestmark = pytest.mark.postgres

TODAY = NOON.date()
MIDNIGHT = NOON.replace(hour=0)


@pytest.fixture
def counted(sessions: Sessions) -> Sessions:
    """Thirty leads with what became of them."""
    chance = random_of(3)
    with sessions.begin() as session:
        read(session, *(it for number in range(30) for it in random_news(chance, f"lead {number}")))
    return sessions


def execute(sessions: Sessions, *statements: str) -> None:
    with sessions.begin() as session:
        for statement in statements:
            session.execute(text(statement))


def is_right(sessions: Sessions) -> bool:
    """Whether the tallies are the fold over the handoffs."""
    with sessions() as session:
        sums = tallies_of(facts_on(session, TODAY))
        return bool(sums) and differences(tallies_on(session, TODAY), sums) == {}


def count(sessions: Sessions, name: str) -> int:
    """How many rows a table of alignment has."""
    with sessions() as session:
        table = metadata.tables[f"alignment.{name}"]
        return session.scalars(select(func.count()).select_from(table)).one()


def test_changes_are_merged_and_sums_stay_what_they_are(counted: Sessions) -> None:
    assert is_right(counted)
    assert count(counted, "tallies") == 0

    keep_up(counted, Event())

    assert is_right(counted)
    assert count(counted, "tally_changes") == 0
    assert count(counted, "tallies") > 0


def test_two_processes_do_not_merge_at_once(counted: Sessions) -> None:
    with counted.begin() as first, counted.begin() as second:
        assert merge_changes(first, limit=10) == 10
        assert merge_changes(second, limit=10) == 0

    assert is_right(counted)


def test_handoffs_of_an_older_version_are_counted(counted: Sessions) -> None:
    execute(
        counted,
        "update alignment.handoffs set category_id = null",
        "truncate alignment.tally_changes, alignment.categories",
    )

    keep_up(counted, Event())

    assert is_right(counted)
    assert count(counted, "categories") > 0


def recount_at_night(sessions: Sessions, nights: int = 0) -> None:
    recount(sessions, lambda: NOON + timedelta(days=nights, hours=16), Event())


def differing() -> float | None:
    return REGISTRY.get_sample_value("leadbaton_alignment_recount_differences")


def test_a_recount_of_right_sums_changes_nothing(counted: Sessions) -> None:
    changes = count(counted, "tally_changes")

    recount_at_night(counted)

    assert differing() == 0
    assert count(counted, "tally_changes") == changes
    assert REGISTRY.get_sample_value("leadbaton_alignment_recount_finished_timestamp_seconds")


@pytest.mark.parametrize(
    "damage",
    [
        "delete from alignment.tallies where field = 'team'",
        "update alignment.tallies set won = won + 1 where field = 'rep'",
        "update alignment.tallies set name = name || ' nobody' where field = 'campaign'",
    ],
)
def test_a_recount_mends_what_differs_once(counted: Sessions, damage: str) -> None:
    keep_up(counted, Event())
    recount_at_night(counted)
    execute(counted, damage)
    assert not is_right(counted)

    recount_at_night(counted, nights=1)
    assert is_right(counted)
    assert (differing() or 0) > 0

    recount_at_night(counted, nights=2)
    assert differing() == 0
    assert is_right(counted)


SELECTIONS: list[dict[str, Any]] = [
    {},
    {"campaign": "autumn"},
    {"campaign": ""},
    {"campaign": "autumn", "tier": "hot"},
    {"persona": "champion", "channel": "event"},
    {"team": "sales"},
    {"rep": "grace"},
    {"rep": "grace", "tier": "hot"},
    {"times": TimeRange(MIDNIGHT, MIDNIGHT + days(1))},
    {"times": TimeRange(MIDNIGHT + days(1), None)},
    {"times": TimeRange(NOON - timedelta(hours=1), None)},
]


@pytest.mark.parametrize("parameters", SELECTIONS, ids=str)
@pytest.mark.parametrize("group_by", GroupBy)
def test_a_report_is_the_same_from_sums_and_from_handoffs(
    session: Session, group_by: GroupBy, parameters: dict[str, Any]
) -> None:
    chance = random_of(5)
    read(session, *(it for number in range(20) for it in random_news(chance, f"lead {number}")))
    merge_changes(session, limit=100)
    selection = Selection(**{"times": ALWAYS, **parameters})

    assert funnels_by(session, selection, group_by) == of_handoffs(session, selection, group_by)


def of_handoffs(session: Session, selection: Selection, group_by: GroupBy) -> list[Funnel]:
    return funnels(
        stage_counts(session, selection, group_by),
        win_sums(session, selection, group_by),
        promise_counts(session, selection, group_by),
    )


def test_sums_have_whole_dates_and_reps_alone() -> None:
    today = TimeRange(MIDNIGHT, MIDNIGHT + days(1))

    assert is_tallied(Selection(today), GroupBy.REP)
    assert is_tallied(Selection(today, campaign="autumn"), GroupBy.TIER)
    assert is_tallied(Selection(today, rep="grace"), GroupBy.REP)
    assert not is_tallied(Selection(today, rep="grace"), GroupBy.TIER)
    assert not is_tallied(Selection(today, tier="hot"), GroupBy.REP)
    assert not is_tallied(Selection(TimeRange(NOON, None)), GroupBy.TIER)


@pytest.mark.parametrize("is_promise_first", [False, True])
def test_a_promise_and_the_first_change_of_its_handoff_are_read_at_once(
    sessions: Sessions, *, is_promise_first: bool
) -> None:
    """The transaction that comes second waits for the first, and sees what it has stored."""
    change, promise = step(Change.ASSIGNED), sla_changed(ClockChange.MET)
    first, second = (promise, change) if is_promise_first else (change, promise)

    def read_second() -> None:
        with sessions.begin() as session:
            read(session, second)

    with ThreadPoolExecutor() as pool:
        with sessions.begin() as session:
            read(session, first)
            waiting = pool.submit(read_second)
            until(lambda: is_waiting(sessions))
            assert not waiting.done()
        waiting.result(timeout=PATIENCE_S)

    with sessions() as session:
        [facts] = facts_on(session, TODAY)
    assert facts.promises == {"first_touch": (1, 0)}
    assert is_right(sessions)


def is_waiting(sessions: Sessions) -> bool:
    """Whether a transaction waits for a lock of another one."""
    with sessions() as session:
        return bool(session.scalar(text("select 1 from pg_locks where not granted limit 1")))
