"""The nightly recount finds what tallies lack, mends it once, and disturbs nobody."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
import structlog
from msgspec.structs import replace
from prometheus_client import REGISTRY
from sqlalchemy import text

from services.sla_monitor.domain.recounts import Recount
from services.sla_monitor.queries.recounts import find_recount
from services.sla_monitor.recount import recount
from shared.contracts.payloads import Change, HandoffChanged
from shared.db.session import Sessions
from tests.builders import NOON, an_id
from tests.services.sla_monitor.builders import (
    ACCEPT,
    TOUCH,
    handle_changes,
    numbered,
    publish_policies,
    step,
)

pytestmark = pytest.mark.postgres

MET, LATE = 20, 200
"""Minutes after which a lead is answered, in time or not."""
HANDOFFS = 12


@pytest.fixture
def answered(sessions: Sessions) -> Sessions:
    """Handoffs that were answered, half of them in time."""
    with sessions.begin() as session:
        publish_policies(session, ACCEPT, TOUCH)
        for number in range(HANDOFFS):
            handle_changes(session, *history(number))
    return sessions


def history(number: int) -> list[HandoffChanged]:
    minute = MET if number % 2 else LATE
    changes = numbered(step(Change.ASSIGNED), step(Change.CONTACTED, minute))
    origin: dict[str, Any] = {"sources": ("ads", "web")[: number % 3], "campaign": f"q{number % 4}"}
    return [replace(it, handoff_id=an_id(f"handoff {number}"), **origin) for it in changes]


def recount_once(sessions: Sessions, *, hours: float = 24) -> Recount:
    """Recount in the night so many hours after noon; how far it came."""
    recount(sessions, lambda: NOON + timedelta(hours=hours), Event())
    with sessions() as session:
        progress = find_recount(session)
    assert progress is not None
    return progress


def tallies(sessions: Sessions) -> dict[str, int]:
    with sessions() as session:
        rows = session.execute(
            text(
                "select tally::text, count from sla.tallies tally where count <> 0"
                " union all select tally::text, count from sla.source_tallies tally where count <> 0"
            )
        )
        return {key.rpartition(",")[0]: count for key, count in rows}


def damage(sessions: Sessions, statement: str) -> None:
    with sessions.begin() as session:
        session.execute(text(statement))


def test_counts_that_are_right_stay_as_they_are(answered: Sessions) -> None:
    before = tallies(answered)

    progress = recount_once(answered)

    assert (progress.differences, progress.is_finished) == (0, True)
    assert progress.clocks == 2 * HANDOFFS
    assert progress.finished_at == NOON + timedelta(hours=24)
    assert tallies(answered) == before
    assert gauge("leadbaton_sla_recount_differences") == 0
    assert (
        gauge("leadbaton_sla_recount_finished_timestamp_seconds")
        == (NOON + timedelta(hours=24)).timestamp()
    )


DAMAGES = {
    "too much": "update sla.tallies set count = count + 3 where measure = 'met'",
    "too little": "update sla.tallies set count = 1 where measure = 'wall'",
    "a sum only": "update sla.tallies set count = 99 where rep = '*' and tier = '*'",
    "lost": "delete from sla.tallies where tier <> '*'",
    "of nobody": "insert into sla.tallies select 'nobody', tier, due_on, team, kind, scope, measure, bucket, 7"
    " from sla.tallies where rep = '*'",
    "all lost": "truncate sla.tallies",
    "too much of a source": "update sla.source_tallies set count = count + 3 where field = 'source'",
    "a sum over tiers only": "update sla.source_tallies set count = 99 where tier = '*'",
    "all of sources and campaigns lost": "truncate sla.source_tallies",
}


@pytest.mark.parametrize("statement", DAMAGES.values(), ids=DAMAGES)
def test_what_differs_is_mended_counted_and_logged(answered: Sessions, statement: str) -> None:
    before = tallies(answered)
    damage(answered, statement)
    assert tallies(answered) != before

    with structlog.testing.capture_logs() as lines:
        progress = recount_once(answered)

    assert tallies(answered) == before
    [line] = [it for it in lines if it["event"] == "counts of reports differed"]
    assert (line["due_on"], line["counts"]) == ("2026-11-18", progress.differences)
    assert gauge("leadbaton_sla_recount_differences") == progress.differences > 0
    assert recount_once(answered, hours=48).differences == 0


def test_clocks_that_an_older_version_stored_count_for_no_source(answered: Sessions) -> None:
    damage(answered, "update sla.clocks set sources = null, campaign = null")
    damage(answered, "truncate sla.source_tallies")
    assert recount_once(answered).differences == 0


def test_a_night_has_one_recount(answered: Sessions) -> None:
    first = recount_once(answered)
    damage(answered, DAMAGES["too much"])
    assert recount_once(answered, hours=30) == first
    assert recount_once(answered, hours=37.9) == first  # 01:54 in the night after
    assert recount_once(answered, hours=38).differences > 0


def test_a_recount_that_was_stopped_is_finished_by_the_next_process(answered: Sessions) -> None:
    damage(answered, DAMAGES["too much"])
    stop = Event()
    stop.set()
    recount(answered, lambda: NOON + timedelta(hours=24), stop)
    with answered() as session:
        progress = find_recount(session)
    assert progress is not None
    assert not progress.is_finished
    assert gauge("leadbaton_sla_recount_finished_timestamp_seconds") == 0

    assert recount_once(answered, hours=30).is_finished


def test_several_processes_mend_once_while_clocks_change(answered: Sessions) -> None:
    damage(answered, DAMAGES["too much"])

    def answer_more(number: int) -> None:
        with answered.begin() as session:
            handle_changes(session, *history(number))

    with ThreadPoolExecutor(8) as pool:
        futures: list[Future[Any]] = [pool.submit(recount_once, answered) for _ in range(4)]
        futures += [pool.submit(answer_more, number) for number in range(HANDOFFS, 40)]
        for future in futures:
            future.result()

    assert recount_once(answered, hours=48).differences == 0
    assert sum(it["count"] for it in met(answered)) == 20


def met(sessions: Sessions) -> list[dict[str, int]]:
    with sessions() as session:
        rows = session.execute(
            text(
                "select count from sla.tallies where rep = '*' and tier = '*' and measure = 'met'"
                " and kind = 'first_touch'"
            )
        )
        return [dict(it) for it in rows.mappings()]


def gauge(name: str) -> float | None:
    return REGISTRY.get_sample_value(name)
