"""The lists of routing as CSV, over HTTP."""

from __future__ import annotations

from csv import DictReader
from io import StringIO

import pytest

from services.routing.queries.endpoints import disable_endpoint
from shared.contracts.payloads import LeadContext
from tests.builders import NOON, lead_qualified
from tests.services.routing.builders import build_assigner, qualifying
from tests.services.routing.client import ADA, RoutingClient, hire_linus

pytestmark = pytest.mark.postgres


def rows(client: RoutingClient, path: str, **query: str) -> list[dict[str, str]]:
    """The rows of a list as CSV."""
    return list(DictReader(StringIO(client.text(path, format="csv", **query), newline="")))


def test_handoffs_are_a_table_with_their_leads(client: RoutingClient) -> None:
    [row] = rows(client, "/handoffs", state="assigned")

    assert (row["id"], row["rep"], row["state"]) == (str(ADA), "grace", "assigned")
    assert row["qualified_at"] == NOON.isoformat()
    assert row["closed_at"] == ""
    assert set(row) >= {"grade", "lead_name", "lead_email", "lead_company"}


def test_a_name_cannot_become_a_formula(client: RoutingClient) -> None:
    context = LeadContext(name="=1+1", company="Ünal, Söhne", sources=("site", "crm"))
    with client.sessions.begin() as session:
        qualifying(session, build_assigner(session), lead_qualified(lead="eve", context=context))

    [row] = rows(client, "/handoffs", source="crm")

    assert row["lead_name"] == "'=1+1"
    assert row["lead_company"] == "Ünal, Söhne"
    assert row["lead_sources"] == "site crm"


def test_a_reps_csv_has_only_what_is_the_reps(client: RoutingClient) -> None:
    hire_linus(client)
    assert rows(client, "/handoffs", by="linus") == []
    assert [it["rep"] for it in rows(client, "/handoffs", by="grace")] == ["grace"]


def test_deliveries_are_a_table_with_their_last_attempt(client: RoutingClient) -> None:
    [row] = rows(client, "/deliveries", handoff=str(ADA))

    assert (row["endpoint"], row["state"], row["attempt_count"]) == ("rep/grace", "pending", "0")
    assert row["last_attempt_status"] == ""


def test_endpoints_are_a_table(client: RoutingClient) -> None:
    with client.sessions.begin() as session:
        disable_endpoint(session, "rep/grace", reason="it answered 410", now=NOON)
    [row] = rows(client, "/endpoints", state="disabled")

    assert (row["id"], row["disabled_reason"]) == ("rep/grace", "it answered 410")


def test_the_handoffs_of_a_re_route_are_a_table(client: RoutingClient) -> None:
    plan = client.post("/reroutes", {"rep": "grace"}, by="ops")
    [row] = rows(client, f"/reroutes/{plan['id']}/handoffs")

    assert row["handoff_id"] == str(ADA)
    assert row["outcome"] == ""


def test_a_cursor_that_is_none_is_refused(client: RoutingClient) -> None:
    refused = client.get("/handoffs", format="csv", after="nonsense", status=400)
    assert refused["code"] == "bad_cursor"


def test_reps_are_a_table_with_their_first_time_off(client: RoutingClient) -> None:
    hire_linus(client)
    client.post("/reps/grace/away", {"until": "2026-12-24T00:00:00Z"}, by="ops")
    grace, linus = rows(client, "/reps")

    assert (grace["id"], grace["name"], grace["holds"]) == ("grace", "Grace", "1")
    assert grace["time_off_until"].startswith("2026-12-24")
    assert (linus["id"], linus["time_off_until"], linus["active"]) == ("linus", "", "true")
    assert [it["id"] for it in rows(client, "/reps", by="grace")] == ["grace"]


def test_versions_of_the_agreement_are_a_table(client: RoutingClient) -> None:
    [row] = rows(client, "/agreement/versions")
    assert (row["number"], row["published_by"]) == ("1", "tests")
