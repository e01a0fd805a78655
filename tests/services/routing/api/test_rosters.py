"""The roster and the accounts as files, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from services.routing.main import build_api
from shared.db.session import Sessions
from shared.process.destinations import destinations
from tests.services.routing.builders import build_assigner, entry, importing
from tests.services.routing.client import NOW, RoutingClient

pytestmark = pytest.mark.postgres

KEY = SecretStr("bGVhZGJhdG9uLXRlc3RzLWxlYWRiYXRvbi10ZXN0cyE=")
LOOPBACK = destinations([ip_network("127.0.0.0/8")], ports=frozenset({9}))
NO_DIFFERENCE = {
    "added": [],
    "inactive": [],
    "changed": [],
    "endpoints": [],
    "enabled": [],
    "accounts": {"added": 0, "changed": 0, "removed": 0, "first": []},
}


@pytest.fixture
def client(sessions: Sessions) -> Iterator[RoutingClient]:
    """Grace owns kestrel.example, and is away because ops say so; Linus is not active."""
    with sessions.begin() as session:
        build_assigner(session)
        importing(
            session,
            entry("grace", capacity={"open": 1}, time_off=[{"from": "2026-12-24", "to": "2026-12-27"}]),
            entry("linus", active=False),
            accounts={"kestrel.example": "grace"},
        )  # fmt: skip
    app = build_api(
        sessions,
        time_source=lambda: NOW,
        secret_key=KEY,
        destination_policy=LOOPBACK,
    )
    with TestClient(app) as http_client:
        routing = RoutingClient(http_client, sessions)
        routing.post("/reps/grace/away", {}, by="ops")
        yield routing


def roster(client: RoutingClient) -> str:
    source = client.get("/roster")["source"]
    assert isinstance(source, str)
    return source


def with_endpoint(source: str, rep: str, url: str) -> str:
    """The file with an endpoint of the rep, which no export has."""
    return source.replace(f"- id: {rep}\n", f"- id: {rep}\n  endpoint: {{url: '{url}'}}\n")


def test_the_export_imports_to_no_difference(client: RoutingClient) -> None:
    source = roster(client)

    preview = client.put("/roster", {"source": source, "dry_run": True})
    applied = client.put("/roster", {"source": source})

    assert preview == {
        "applied": False,
        "difference": NO_DIFFERENCE,
        "secrets": {},
        "held_by_inactive": {},
        "owned_by_inactive": {},
    }
    assert applied == {**preview, "applied": True}
    assert roster(client) == source
    assert client.get("/reps")["items"][0]["time_off"][0]["actor"] == "ops/ops"


def test_an_import_says_what_it_changes_and_shows_new_secrets_once(client: RoutingClient) -> None:
    source = roster(client).replace("open: 1", "open: 5").replace("linus", "mara")
    source = with_endpoint(source, "mara", "http://127.0.0.1:9/mara")
    body = {"source": source, "dry_run": True}

    preview = client.put("/roster", body)
    assert client.get("/reps")["items"][0]["open_limit"] == 1
    applied = client.put("/roster", {"source": source})

    assert preview["difference"] == applied["difference"]
    assert preview["difference"]["added"] == ["mara"]
    assert preview["difference"]["endpoints"] == ["rep/mara"]
    assert preview["difference"]["changed"] == [
        {"rep": "grace", "field": "capacity.open", "before": "1", "after": "5"}
    ]
    assert (preview["secrets"], list(applied["secrets"])) == ({}, ["rep/mara"])
    assert client.get("/reps")["items"][0]["open_limit"] == 5


def test_a_csv_of_reps_leaves_accounts_and_fallbacks(client: RoutingClient) -> None:
    rows = "id,name,email,team,endpoint\nmara,Mara,mara@x.io,sales,http://127.0.0.1:9/mara"

    applied = client.put("/roster", {"source": rows, "format": "csv"})

    assert applied["difference"]["accounts"] is None
    assert applied["difference"]["inactive"] == ["grace"]
    assert applied["owned_by_inactive"] == {"grace": 1}
    assert client.get("/accounts")["items"] == [{"domain": "kestrel.example", "rep": "grace"}]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"source": "reps: []"}, "invalid_document", "reps.yaml:1:7"),
        ({"source": "id\n", "format": "csv"}, "invalid_document", "reps.csv:1:1: the column"),
        ({"source": "reps: []", "format": "xls"}, "invalid_request", "format"),
        ({"source": "x" * 200_001}, "invalid_request", "source"),
        ({}, "invalid_request", "source"),
        ({"source": "reps: []", "dryrun": True}, "invalid_request", "dryrun"),
    ],
)
def test_a_roster_that_cannot_be_is_refused(
    client: RoutingClient, body: dict[str, Any], code: str, message: str
) -> None:
    refused = client.put("/roster", body, status=422)
    assert refused["code"] == code
    assert message in refused["message"]


def test_a_forbidden_url_is_refused(client: RoutingClient) -> None:
    source = with_endpoint(roster(client), "grace", "http://10.0.0.1/")
    refused = client.put("/roster", {"source": source}, status=422)
    assert "10.0.0.1" in refused["message"]


def test_accounts_are_replaced_listed_and_exported(client: RoutingClient) -> None:
    source = "domain;rep\nB.example;linus\na.example;grace\n"

    preview = client.put("/accounts", {"source": source, "dry_run": True})
    assert len(client.get("/accounts")["items"]) == 1
    applied = client.put("/accounts", {"source": source})

    assert (preview["applied"], applied["applied"]) == (False, True)
    assert preview["difference"] == applied["difference"]
    assert applied["difference"]["first"] == [
        {"domain": "a.example", "before": None, "after": "grace"},
        {"domain": "b.example", "before": None, "after": "linus"},
        {"domain": "kestrel.example", "before": "grace", "after": None},
    ]
    first = client.get("/accounts", limit=1)
    second = client.get("/accounts", limit=1, after=first["next"])
    assert [it["items"][0]["domain"] for it in (first, second)] == ["a.example", "b.example"]
    assert second["next"] is None
    assert client.get("/accounts", rep="linus")["items"] == [
        {"domain": "b.example", "rep": "linus"}
    ]


def test_accounts_are_exported_as_csv(client: RoutingClient) -> None:
    table = client.text("/accounts", format="csv")
    assert table == "domain,rep\r\nkestrel.example,grace\r\n"


def test_accounts_that_cannot_be_are_refused(client: RoutingClient) -> None:
    refused = client.put("/accounts", {"source": "domain,rep\na.example,nobody"}, status=422)

    assert refused["code"] == "invalid_document"
    assert refused["message"].startswith("accounts.csv:2:2: there is no rep `nobody`")
    assert client.get("/accounts", after="nonsense", status=400)["code"] == "bad_cursor"
    assert client.get("/accounts", owner="linus", status=422)["code"] == "invalid_request"


def test_without_an_agreement_teams_are_not_checked(sessions: Sessions) -> None:
    app = build_api(sessions, time_source=lambda: NOW, secret_key=KEY, destination_policy=LOOPBACK)
    with TestClient(app) as http_client:
        client = RoutingClient(http_client, sessions)
        rows = "id,name,email,team,endpoint\nmara,Mara,m@x.io,moon,http://127.0.0.1:9/mara"
        applied = client.put("/roster", {"source": rows, "format": "csv"})

    assert applied["difference"]["added"] == ["mara"]
