"""Reports of days that were counted read no handoff and no clock itself."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from services.alignment.api.campaigns import CampaignsParameters, campaigns_report
from services.alignment.api.measures import measures_of
from services.alignment.api.parameters import Parameters
from services.alignment.api.promises import PromiseParameters, promises_to_date
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.queries.rejections import rejections_by
from services.alignment.queries.scopes import Scope
from services.alignment.queries.selection import GroupBy
from shared.agreement.store import Policies
from shared.db.session import Sessions
from tests.builders import NOON, days
from tests.plans import rows_read, scans, settle
from tests.seeds import random_of
from tests.services.alignment.api.test_measured import publish_two
from tests.services.alignment.builders import read
from tests.services.alignment.folding import count_all
from tests.services.alignment.histories import random_stories

pytestmark = pytest.mark.postgres

POLICIES = Policies(AlignmentPolicy)
NOW = NOON.replace(hour=0)
"""At the end of a day; of a part of a day, which a cohort may end with, handoffs are read themselves."""
INDEXES_READ = {"ix_handoffs_waiting", "ix_handoffs_won"}
IS_WAITING = "assigned_at IS NULL"
"""Leads that wait, and wins with their touches, are read themselves; of few leads another index is as good."""
NARROWED: list[dict[str, Any]] = [
    {},
    {"team": "emea"},
    {"campaign": "autumn"},
    {"channel": "email"},
    {"where": 'persona == "buyer"'},
    {"where": 'source != "ads"'},
]


@pytest.fixture(scope="module")
def all_counted(module_sessions: Sessions) -> Sessions:
    """Leads of seven weeks; no day is stale."""
    with module_sessions.begin() as session:
        publish_two(session)
        read(session, *(it for story in random_stories(random_of(3), 60, "3") for it in story.news))
        count_all(session)
    settle(module_sessions, "alignment.handoffs, alignment.promises")
    return module_sessions


def rows_read_themselves(sessions: Sessions, report: Any) -> dict[str, float]:
    """How many handoffs and clocks a report reads by which index, besides those above."""
    with sessions() as session:
        for name in ("seqscan", "bitmapscan"):  # as of tables with many rows, by one index each
            session.execute(text(f"set local enable_{name} = off"))
        nodes = scans(session, lambda: report(session))
    return {
        f"{it.get('Index Name')}: {it.get('Filter')}": rows_read(it)
        for it in nodes
        if it.get("Relation Name") in {"handoffs", "promises"}
        and it.get("Index Name") not in INDEXES_READ
        and IS_WAITING not in it.get("Filter", "")
        and rows_read(it) > 0
    }


@pytest.mark.parametrize("by", GroupBy)
def test_rejections_read_what_was_counted(all_counted: Sessions, by: GroupBy) -> None:
    scope = Scope(NOW - days(17), NOW)

    read_themselves = rows_read_themselves(
        all_counted, lambda session: rejections_by(session, scope, by, limit=10)
    )

    assert read_themselves == {}


@pytest.mark.parametrize("narrowed", NARROWED, ids=str)
def test_measures_read_what_was_counted(all_counted: Sessions, narrowed: dict[str, Any]) -> None:
    parameters = Parameters.model_validate({"period": "2026-11", **narrowed})

    read_themselves = rows_read_themselves(
        all_counted, lambda session: measures_of(session, POLICIES, parameters, NOW)
    )

    assert read_themselves == {}


def test_promises_read_what_was_counted(all_counted: Sessions) -> None:
    parameters = PromiseParameters(period="2026-11")

    assert (
        rows_read_themselves(
            all_counted, lambda session: promises_to_date(session, POLICIES, parameters, NOW)
        )
        == {}
    )


def test_campaigns_read_what_was_counted(all_counted: Sessions) -> None:
    parameters = CampaignsParameters(period="2026-11")

    assert (
        rows_read_themselves(
            all_counted,
            lambda session: campaigns_report(
                session, parameters, POLICIES.current(session), now=NOW, limit=100
            ),
        )
        == {}
    )
