"""`leadbaton endpoints`, as it is typed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from services.cli.endpoints import app
from services.routing.domain.endpoints import UnknownEndpoint
from services.routing.queries import endpoints as endpoint_queries
from services.routing.tables import endpoints
from shared.clock import utc_now
from shared.db.session import Sessions
from shared.http.outbound import ForbiddenAddress
from tests.services.routing.builders import build_assigner, entry, importing
from tests.services.routing.delivery.receiver import Reply, receiving

pytestmark = pytest.mark.postgres

KEY = "bGVhZGJhdG9uLXRlc3RzLWxlYWRiYXRvbi10ZXN0cyE="


@pytest.fixture(autouse=True)
def installed(database_url: str, sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation with one rep."""
    monkeypatch.setenv("LEADBATON_DATABASE_URL", database_url)
    monkeypatch.setenv("LEADBATON_SECRET_KEY", KEY)
    with sessions.begin() as session:
        importing(session, entry("grace"))


def test_a_new_secret_goes_alone_to_stdout_and_all_else_to_stderr() -> None:
    done = CliRunner().invoke(app, ["rotate", "rep/grace", "ops"])

    secrets = json.loads(done.stdout)
    assert sorted(secrets) == ["ops", "rep/grace"]
    assert all(it.startswith("whsec_") for it in secrets.values())
    assert f"both sign until {utc_now() + timedelta(days=1):%Y-%m-%d}" in done.stderr
    assert "whsec_" not in done.stderr


def test_after_a_lost_key_all_get_new_ones(sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(update(endpoints).values(secret=b"of another key"))

    done = CliRunner().invoke(app, ["rotate", "--all"])

    assert sorted(json.loads(done.stdout)) == ["ops", "rep/grace", "team/sales"]
    assert done.stderr.count("only the new one signs") == 3


def test_rotation_needs_endpoints_that_exist() -> None:
    assert "--all" in CliRunner().invoke(app, ["rotate"]).output
    assert "--all" in CliRunner().invoke(app, ["rotate", "ops", "--all"]).output
    unknown = CliRunner().invoke(app, ["rotate", "rep/nobody"])
    assert isinstance(unknown.exception, UnknownEndpoint)
    assert unknown.stdout == ""


def test_a_new_key_is_printed_by_its_public_key() -> None:
    first, second = (CliRunner().invoke(app, ["rotate-key", "rep/grace"]) for _ in range(2))

    assert first.stdout.startswith("whpk_")
    assert first.stderr == ""
    assert second.stdout != first.stdout
    assert f"both keys sign until {utc_now() + timedelta(days=1):%Y-%m-%d}" in second.stderr


def test_the_list_names_hosts_and_who_is_off(sessions: Sessions) -> None:
    with sessions.begin() as session:
        endpoint_queries.disable_endpoint(session, "ops", reason="gone", now=utc_now())

    listed = CliRunner().invoke(app, ["list"], env={"COLUMNS": "120"})

    assert "127.0.0.1:9" in listed.stdout
    assert "disabled" in listed.stdout
    assert "in use" in listed.stdout


def test_an_endpoint_is_tested_and_its_response_is_printed(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADBATON_ALLOW_NETWORKS", "127.0.0.0/8")
    with receiving() as receiver:
        receiver.reply("/ops", Reply(200, body=b"ok"), Reply(503))
        with sessions.begin() as session:
            importing(session, entry("grace"), ops=receiver.url("/ops"))
        good = CliRunner().invoke(app, ["test", "ops"])
        with sessions.begin() as session:
            session.execute(update(endpoints).values(tested_at=None))
        bad = CliRunner().invoke(app, ["test", "ops"])

    assert good.exit_code == 0
    assert "ops: 200 after " in good.stdout
    assert (bad.exit_code, "503" in bad.stdout) == (1, True)


def test_a_test_without_a_response_says_why() -> None:
    refused = CliRunner().invoke(app, ["test", "ops"], env={"COLUMNS": "300"})

    assert refused.exit_code == 1
    assert "no response" in refused.stdout
    assert "LEADBATON_ALLOW_NETWORKS" in refused.stdout


def test_a_disabled_endpoint_is_enabled(sessions: Sessions) -> None:
    with sessions.begin() as session:
        endpoint_queries.disable_endpoint(session, "ops", reason="gone", now=utc_now())

    enabled = CliRunner().invoke(app, ["enable", "ops"])
    unknown = CliRunner().invoke(app, ["enable", "rep/nobody"])

    assert enabled.stdout == "ops is in use\n"
    assert isinstance(unknown.exception, UnknownEndpoint)
    with sessions() as session:
        assert endpoint_queries.disabled_endpoints(session) == {}


def test_an_endpoint_is_deleted_with_its_secrets(sessions: Sessions) -> None:
    done = CliRunner().invoke(app, ["delete", "rep/grace"])
    unknown = CliRunner().invoke(app, ["delete", "rep/grace"])

    assert done.stdout == "rep/grace is deleted; webhooks cancelled: 0\n"
    assert isinstance(unknown.exception, UnknownEndpoint)
    with sessions() as session:
        assert "rep/grace" not in {it.id for it in endpoint_queries.list_endpoints(session)}


def test_an_address_is_set_and_its_secret_printed_once(sessions: Sessions) -> None:
    url = "https://127.0.0.1/services/secret"
    with sessions.begin() as session:
        build_assigner(session)
        importing(session, entry("grace"), entry("linus", endpoint=None))
    arguments = ["set", "rep/linus", "--format", "slack", "--url", "-"]

    done = CliRunner().invoke(
        app, arguments, input=f"{url}\n", env={"LEADBATON_ALLOW_NETWORKS": "127.0.0.0/8"}
    )
    again = CliRunner().invoke(app, ["set", "rep/linus", "--format", "teams"])
    listed = CliRunner().invoke(app, ["list"]).stdout

    assert json.loads(done.stdout)["rep/linus"].startswith("whsec_")
    assert "rep/linus takes webhooks as slack" in done.stderr
    assert again.stdout == ""
    assert "teams" in listed
    assert "services/secret" not in done.output + again.output + listed


def test_an_address_that_may_not_be_called_is_refused() -> None:
    done = CliRunner().invoke(app, ["set", "ops", "--url", "https://10.0.0.1/"])

    assert isinstance(done.exception, ForbiddenAddress)
