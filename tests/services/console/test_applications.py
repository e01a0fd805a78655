"""The page on which ops look at what the agreement in force makes of running promises, and apply it to them."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.applications import advance_application
from shared.agreement.store import Policies
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import NOON, an_id, minutes
from tests.services.console.site import running_console
from tests.services.console.test_handoffs import follow, send
from tests.services.sla_monitor.builders import (
    handle_changes,
    policy,
    publish_policies,
    step,
    stored_clocks,
)

pytestmark = pytest.mark.postgres

PAGE = "/sla/applications"
NOW = NOON + minutes(60)


def prepare(sessions: Sessions) -> None:
    """Three leads with three promises each: of the new version one is due earlier, one at once, one is gone."""
    with sessions.begin() as session:
        publish_policies(
            session,
            policy("slow", target="3h"),
            policy("fast", target="4h"),
            policy("gone", target="4h"),
        )
        for number in range(3):
            change = step(Change.ASSIGNED, rep="amira", lead_name=f"Lead <b>{number}</b>")
            handle_changes(session, replace(change, handoff_id=an_id(number)), minute=1)
        publish_policies(session, policy("slow", target="2h"), policy("fast", target="30m"))


def carry_out(sessions: Sessions) -> None:
    """The sweeps apply what was begun."""
    policies = Policies(SlaPolicy)
    with sessions.begin() as session:
        while advance_application(session, policies, time_source=lambda: NOW):
            pass


def figures(page: str) -> dict[str, str]:
    """The counts of the preview."""
    return dict(
        re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page.split('id="preview-title"')[1])
    )


def test_ops_look_at_the_effects_and_apply_the_version(sessions: Sessions) -> None:
    prepare(sessions)
    with running_console(sessions, now=NOW) as console, console.visit() as client:
        page = client.get(PAGE).text
        assert figures(page) == {"Due earlier": "3", "Breached at once": "3", "Cancelled": "3"}
        assert "9 running promises about 3 handoffs" in page
        assert "Lead &lt;b&gt;0&lt;/b&gt;" in page
        assert "Nothing was applied yet." in page

        begun = follow(client, send(client, PAGE, agreement_version="2"))
        assert "Version 2 is being applied" in begun
        assert "running</span>" in begun
        carry_out(sessions)

        page = client.get(PAGE).text
        assert "3 due earlier, 3 breached at once, 3 cancelled" in page
        assert "ops/olga" in page
        assert "No running promise of an older version was found." in page
        assert "Apply version" not in page
    with sessions() as session:
        assert {
            it.agreement_version for it in stored_clocks(session).values() if it.ended_at is None
        } == {2}


def test_ops_end_one_policy_and_move_no_other(sessions: Sessions) -> None:
    prepare(sessions)
    with running_console(sessions, now=NOW) as console, console.visit() as client:
        page = client.get(f"{PAGE}?policy=gone").text
        assert figures(page) == {"Cancelled": "3"}
        assert "End the policy gone" in page

        ended = follow(client, send(client, PAGE, agreement_version="2", policy="gone"))
        assert "The policy gone is ending" in ended
        carry_out(sessions)
        assert "2, end of gone" in client.get(PAGE).text


@pytest.mark.parametrize(
    ("query", "fields", "message"),
    [
        ("", {"agreement_version": "1"}, "version 2 of the agreement is in force, not 1"),
        ("", {"agreement_version": "two"}, "agreement_version"),
        ("?policy=slow", {"agreement_version": "2", "policy": "slow"}, "has the policy"),
    ],
    ids=["outdated", "no number", "a policy in force"],
)
def test_what_cannot_be_applied_says_why(
    sessions: Sessions, query: str, fields: dict[str, str], message: str
) -> None:
    prepare(sessions)
    with running_console(sessions, now=NOW) as console, console.visit() as client:
        refused = send(client, PAGE, status=422 if "two" in fields.values() else 409, **fields).text
        assert message in refused
        if query:
            assert message in client.get(PAGE + query).text
            assert "End the policy" not in client.get(PAGE + query).text


def test_readers_see_the_effects_and_no_form(sessions: Sessions) -> None:
    prepare(sessions)
    with running_console(sessions, now=NOW) as console:
        with console.visit("read") as client:
            page = client.get(PAGE).text
            assert "Due earlier" in page
            assert "Apply version" not in page
        with console.visit("rep") as client:
            assert client.get(PAGE).status_code == 403
            assert PAGE not in client.get("/sla").text
