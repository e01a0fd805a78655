"""Which leads sales rejected and why: what a plain loop says, of any number of leads, counted or not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from csv import DictReader
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts
from services.alignment.domain.rejections import GroupRejections, Reason, rejection_report
from services.alignment.main import build_api
from services.alignment.queries.rejections import rejections_by
from services.alignment.queries.scopes import Scope
from services.alignment.queries.selection import GroupBy, Selection
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.db.session import Sessions
from shared.db.time_range import TimeRange
from tests.builders import NOON, days
from tests.seeds import random_of
from tests.services.alignment.builders import read
from tests.services.alignment.counted_days import count_days
from tests.services.alignment.folding import all_facts
from tests.services.alignment.histories import BEGIN, random_stories

pytestmark = pytest.mark.postgres

SINCE, UNTIL = BEGIN.replace(hour=0) + days(3), BEGIN.replace(hour=0) + days(45)
MANY, CAMPAIGNS = 4_500, 60
"""Rejected leads, and their campaigns: of the first one most."""
ADD = """
    insert into alignment.handoffs (
        lead_id, qualification, qualified_at, rejected_at, rejection_reason, campaign
    )
    select gen_random_uuid(), 1, cast(:at as timestamptz) - number % 5 * interval '1 day', :at,
        case number % 3 when 0 then 'student' when 1 then 'budget' end,
        'campaign ' || number % least(number / 50 + 1, :campaigns)
    from generate_series(1, cast(:many as integer)) as number
"""


def expected(session: Session, by: GroupBy, is_selected: Callable[[HandoffFacts], bool]) -> Any:
    """The groups with rejections, those with most first, and all together."""
    groups: defaultdict[str | None, list[HandoffFacts]] = defaultdict(list)
    for facts in all_facts(session):
        is_in = facts.qualified_at is not None and SINCE <= facts.qualified_at < UNTIL
        if is_in and facts.outcome != "merged" and is_selected(facts):
            groups[getattr(facts, by.value)].append(facts)
    folded = [_fold(name, members) for name, members in groups.items()]
    listed = sorted(
        (it for it in folded if it.rejected), key=lambda it: (-it.rejected, it.group or "")
    )
    return listed, _fold(None, [it for members in groups.values() for it in members])


def _fold(group: str | None, members: list[HandoffFacts]) -> GroupRejections:
    reasons = Counter(
        it.rejection_reason for it in members if it.rejected_at and it.accepted_at is None
    )
    ordered = sorted(reasons.items(), key=lambda it: (-it[1], it[0] is None, it[0] or ""))
    return GroupRejections(
        group, len(members), reasons.total(), [Reason(*reason) for reason in ordered]
    )


@pytest.mark.parametrize("share", [0, 0.5, 1], ids=["stale", "some counted", "counted"])
@pytest.mark.parametrize("seed", range(2))
def test_rejections_are_what_a_loop_says(session: Session, seed: int, share: float) -> None:
    for story in random_stories(random_of(seed), 60, f"rejected {seed}"):
        read(session, *story.news)
    count_days(session, random_of(seed), share)
    narrowed: list[tuple[Selection, Callable[[HandoffFacts], bool]]] = [
        (Selection(TimeRange(SINCE, UNTIL)), lambda _: True),
        (Selection(TimeRange(SINCE, UNTIL), campaign="autumn"), lambda it: it.campaign == "autumn"),
        (Selection(TimeRange(SINCE, UNTIL), team=""), lambda it: it.team is None),
    ]

    for by in GroupBy:
        for selection, is_selected in narrowed:
            listed, total = expected(session, by, is_selected)
            for limit in (1, 3, 100):
                sums = rejections_by(session, Scope(SINCE, UNTIL, selection), by, limit=limit)
                report = rejection_report(sums)
                assert (report.groups, report.total) == (listed[:limit], total)
                assert report.others_groups == len(listed[limit:])
                others = None if report.others is None else report.others.rejected
                assert others == (sum(it.rejected for it in listed[limit:]) or None)


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    """The API after more rejections than a list of leads has on a page."""
    with sessions.begin() as session:
        session.execute(text(ADD), {"at": NOON, "many": MANY, "campaigns": CAMPAIGNS})
        key = create_key(session, scope=KeyScope.READ, subject="ada", now=NOON)
    app = build_api(sessions, time_source=lambda: NOON)
    with TestClient(app, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def test_of_any_number_of_rejections_each_is_counted(client: TestClient) -> None:
    got = client.get("/v1/alignment/rejections", params={"period": "2026-11", "limit": 20})

    report = got.json()
    assert (report["since"], report["until"]) == ("2026-11-01", "2026-11-30")
    assert (report["groups"], len(report["items"]), report["others_groups"]) == (60, 20, 40)
    assert report["total"]["rejected"] == report["total"]["qualified"] == MANY
    rejected = [it["rejected"] for it in report["items"]]
    assert rejected == sorted(rejected, reverse=True)
    assert sum(rejected) + report["others"]["rejected"] == MANY
    for row in (*report["items"], report["others"], report["total"]):
        assert sum(it["count"] for it in row["rejections"]) == row["rejected"]
    assert report["total"]["rejections"] == [
        {"reason": it, "count": MANY // 3} for it in ("budget", "student", None)
    ]


def test_a_file_has_all_groups_and_a_condition_narrows_them(client: TestClient) -> None:
    where = 'campaign in ["campaign 0", "campaign 1"]'
    query = {"period": "2026-11", "format": "csv", "where": where}
    got = client.get("/v1/alignment/rejections", params=query)

    rows = list(DictReader(StringIO(got.text, newline="")))
    assert [it["group"] for it in rows] == ["campaign 0", "campaign 1"]
    assert "budget=" in rows[0]["rejections"]
    assert {it["groups"] for it in rows} == {"1"}


def test_a_period_that_is_none_is_refused(client: TestClient) -> None:
    got = client.get("/v1/alignment/rejections", params={"period": "2026-W60"})

    assert (got.status_code, got.json()["code"]) == (422, "bad_period")
