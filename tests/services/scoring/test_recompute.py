"""Stored leads are compared with what their events give."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.queries import leads
from services.scoring.recompute import PAGE, Difference, compare_leads
from shared.agreement.store import Policies
from shared.clock import utc_now
from shared.db.session import Sessions
from tests.builders import an_id, days, marketing_event
from tests.services.scoring.conftest import Worker

pytestmark = pytest.mark.postgres


@pytest.fixture
def lead_ids(sessions: Sessions) -> list[str]:
    """Two leads that were scored just now."""
    now = utc_now()
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        for email in ("ada@example.com", "bob@example.com"):
            worker.take(
                marketing_event("form_submitted", email=email, time=now - days(2)),
                marketing_event(email=email, time=now, traits={"country": "DE"}),
                now=now,
            )
        return [str(lead.id) for lead in leads.leads_after(session, None, limit=9)]


def corrupt(sessions: Sessions, lead_id: str) -> None:
    """Store values of a lead that its events do not give."""
    with sessions.begin() as session:
        [lead] = [it for it in leads.leads_after(session, None, limit=9) if str(it.id) == lead_id]
        profile = lead.profile._replace(signals={}, traits={})
        leads.save_leads(session, [lead._replace(fit=99.0, profile=profile)])


def test_nothing_differs_after_normal_work(sessions: Sessions, lead_ids: list[str]) -> None:
    assert list(compare_leads(sessions, Policies(ScoringPolicy), utc_now())) == [
        (len(lead_ids), [])
    ]


def test_each_difference_is_named_with_both_values(sessions: Sessions, lead_ids: list[str]) -> None:
    corrupt(sessions, lead_ids[0])

    [(count, differences)] = compare_leads(sessions, Policies(ScoringPolicy), utc_now())

    assert count == 2
    assert {it.what for it in differences} == {"fit", "engagement", "traits"}
    assert Difference(differences[0].lead_id, "fit", 99.0, 20.0) == differences[0]


@pytest.mark.parametrize("field", ["known_at", "active_at"])
@pytest.mark.parametrize("wrong_by", [days(1), -days(1), None])
def test_a_wrong_instant_is_a_difference(
    sessions: Sessions, lead_ids: list[str], field: str, wrong_by: timedelta | None
) -> None:
    """Known and active since an event, which an instant before the first one can only be by a judgement."""
    del lead_ids
    with sessions.begin() as session:
        lead, _ = leads.leads_after(session, None, limit=9)
        wrong = None if wrong_by is None else getattr(lead, field) + wrong_by
        changed: dict[str, Any] = {field: wrong}
        leads.save_leads(session, [lead._replace(**changed)])

    [(_, differences)] = compare_leads(sessions, Policies(ScoringPolicy), utc_now())

    is_plausible = field == "active_at" and wrong is not None and wrong < getattr(lead, field)
    is_to_be_read = field == "known_at" and wrong is None
    expected = [] if is_plausible or is_to_be_read else [(field, wrong, getattr(lead, field))]
    assert [(it.what, it.kept, it.computed) for it in differences] == expected


def test_activity_under_several_agreements_is_not_compared(
    sessions: Sessions, lead_ids: list[str]
) -> None:
    del lead_ids
    with sessions.begin() as session:
        Worker(session).publish(money={"currency": "EUR"})
        lead, _ = leads.leads_after(session, None, limit=9)
        leads.save_leads(session, [lead._replace(version=2, active_at=None)])

    [(_, differences)] = compare_leads(
        sessions, Policies(ScoringPolicy), utc_now(), lead_id=lead.id
    )

    assert "active_at" not in {it.what for it in differences}


def test_an_unknown_lead_is_no_lead(sessions: Sessions, lead_ids: list[str]) -> None:
    del lead_ids
    assert (
        list(compare_leads(sessions, Policies(ScoringPolicy), utc_now(), lead_id=an_id("x"))) == []
    )


def test_the_command_prints_differences_and_fails(
    sessions: Sessions, lead_ids: list[str], database_url: str
) -> None:
    run = CliRunner(env={"LEADBATON_DATABASE_URL": database_url})
    before = run.invoke(app, ["scoring", "recompute"])
    assert (before.exit_code, before.stdout) == (0, "")
    assert "2 leads computed again, 0 differences" in before.stderr

    corrupt(sessions, lead_ids[0])

    assert run.invoke(app, ["scoring", "recompute", "--lead", lead_ids[1]]).exit_code == 0
    after = run.invoke(app, ["scoring", "recompute", "--lead", lead_ids[0]])
    assert after.exit_code == 1
    assert f"{lead_ids[0]} fit: kept 99.0, computed 20.0" in after.stdout


def test_more_leads_than_a_page_are_all_computed(sessions: Sessions) -> None:
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(*(marketing_event(email=f"{at}@example.com") for at in range(PAGE + 1)))

    counted = list(compare_leads(sessions, Policies(ScoringPolicy), utc_now()))

    assert counted == [(PAGE, []), (1, [])]
