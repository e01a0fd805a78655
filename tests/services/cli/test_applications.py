"""Tests of `leadbaton sla apply` and `leadbaton sla end`."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from services.cli.sla import app
from services.sla_monitor.domain.applications import NotNewest, PolicyInForce
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.applications import start_application
from shared.agreement.store import Policies
from shared.clock import utc_now
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import an_id
from tests.services.sla_monitor.builders import (
    TOUCH,
    handle_changes,
    policy,
    publish_policies,
    step,
    stored_clocks,
)

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]

SLOW = policy("slow", target="100h")


@pytest.fixture
def assigned(sessions: Sessions) -> None:
    """Three leads whose reps have promised something within 100 hours, which the version in force makes 200."""
    now = utc_now()
    with sessions.begin() as session:
        publish_policies(session, SLOW, policy("gone", target="90h"))
        for number in range(3):
            times = {"occurred_at": now, "assigned_at": now, "qualified_at": now}
            change = step(Change.ASSIGNED, handoff_id=an_id(number), lead_name=f"Lead {number}")
            handle_changes(session, replace(change, **times))
        publish_policies(session, policy("slow", target="200h"))


def run(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=answer)


def versions(sessions: Sessions) -> set[int]:
    with sessions() as session:
        return {it.agreement_version for it in stored_clocks(session).values()}


@pytest.mark.usefixtures("assigned")
def test_a_dry_run_shows_what_would_change_and_changes_nothing(sessions: Sessions) -> None:
    result = run("apply", "--dry-run")

    assert result.exit_code == 0, result.output
    assert "of 6 running clocks on 3 handoffs" in result.stdout
    assert "3  due later" in result.stdout
    assert "3  cancelled: their policy has ended" in result.stdout
    assert "Lead 1" in result.stdout
    assert versions(sessions) == {1}


@pytest.mark.usefixtures("assigned")
def test_it_asks_before_it_applies(sessions: Sessions) -> None:
    assert run("apply", answer="n\n").exit_code == 0
    assert versions(sessions) == {1}

    result = run("apply", "--by", "maria", answer="y\n")

    assert result.exit_code == 0, result.output
    assert "version 2 applied to 3 handoffs; clocks: 3 later, 3 cancelled" in result.stdout
    assert "No running clock counts by an older version than 2" in run("apply").stdout


@pytest.mark.usefixtures("assigned")
def test_scripts_read_json_and_do_not_answer_questions() -> None:
    refused = run("apply", "--json")
    assert refused.exit_code == 2
    assert "--dry-run or --yes" in refused.output

    preview = json.loads(run("apply", "--dry-run", "--json").stdout)
    assert (preview["handoffs"], preview["effects"]["later"], preview["next"]) == (3, 3, None)
    applied = json.loads(run("apply", "--yes", "--json", "--by", "cron").stdout)
    assert (applied["state"], applied["actor"], applied["effects"]["later"]) == (
        "done",
        "ops/cron",
        3,
    )


@pytest.mark.usefixtures("assigned")
def test_the_end_of_a_policy_leaves_others(sessions: Sessions) -> None:
    refused = run("end", "slow", "--dry-run")
    assert isinstance(refused.exception, PolicyInForce)

    result = run("end", "gone", "--yes")

    assert "clocks: 3 cancelled" in result.stdout
    with sessions() as session:
        clocks = stored_clocks(session)
    assert (clocks["slow/1"].state, clocks["gone/1"].ended_by) == ("running", "policy_ended")
    assert "No running clock" in run("end", "gone").stdout
    assert "No running clock" in run("end", "never_there", "--yes").stdout


@pytest.mark.usefixtures("assigned")
def test_a_version_that_is_published_meanwhile_is_not_applied_unseen(sessions: Sessions) -> None:
    with sessions.begin() as session:
        publish_policies(session, TOUCH)
        with pytest.raises(NotNewest):
            start_application(session, Policies(SlaPolicy), 2, actor="ops/maria", now=utc_now())
