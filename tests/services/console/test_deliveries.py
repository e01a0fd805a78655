"""The page Deliveries: filters, attempts, endpoints, and what ops do about them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import insert, update

from services.routing.queries import endpoints as endpoint_queries
from services.routing.tables import attempts, deliveries
from shared.db.session import Sessions
from tests.builders import NOON, lead_qualified
from tests.services.console.site import RunningConsole, running_console, token_in
from tests.services.routing.builders import build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres


@pytest.fixture
def console(sessions: Sessions) -> Iterator[RunningConsole]:
    """One webhook to Amira that was refused, and one to Jonas that waits; the endpoint of ops is disabled."""
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("amira"), entry("jonas"))
        qualifying(session, assigner, lead_qualified(lead="ada"), lead_qualified(lead="bea"))
        refused = session.scalars(
            update(deliveries)
            .where(deliveries.c.endpoint == "rep/amira")
            .values(state="exhausted", attempt_count=1)
            .returning(deliveries.c.id)
        ).one()
        detail = "<b>no such</b> hook"
        row = {"number": 1, "at": NOON, "took_ms": 12.5, "status": 404, "detail": detail}
        session.execute(insert(attempts).values(delivery_id=refused, **row))
        endpoint_queries.disable_endpoint(session, "ops", reason="it answered 410", now=NOON)
    with running_console(sessions) as running:
        yield running


def section(html: str) -> str:
    """The part of the page with the webhooks."""
    return html.split('id="deliveries-title"')[1]


def act(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Send a form of the page, and follow to the page that shows the outcome."""
    token = token_in(client.get("/deliveries").text)
    return client.post(path, data={"token": token, **fields}, follow_redirects=True)


def test_every_webhook_is_listed_with_its_attempts_as_text(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/deliveries")

    assert page.status_code == 200, page.text
    assert 'state-exhausted">exhausted' in page.text
    assert "rep/jonas" in section(page.text)
    assert "404 after 12 ms" in page.text
    assert "&lt;b&gt;no such&lt;/b&gt; hook" in page.text


def test_filters_are_in_the_url_and_in_the_form(console: RunningConsole) -> None:
    with console.visit() as client:
        refused = client.get("/deliveries?status=4xx&type=handoff.assigned")
        none = client.get("/deliveries?state=delivered")
        wrong = client.get("/deliveries?status=9xx")

    assert "rep/amira" in section(refused.text)
    assert "rep/jonas" not in section(refused.text)
    assert '<option value="4xx" selected>' in refused.text
    assert "No webhook is like that." in none.text
    assert wrong.status_code == 422


def test_endpoints_that_need_somebody_are_shown_and_all_on_demand(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/deliveries").text
        everything = client.get("/deliveries?all=1").text

    assert 'id="endpoint-ops"' in page
    assert "it answered 410" in page
    assert 'id="endpoint-rep-amira"' not in page
    assert "All 4 endpoints" in page
    assert 'id="endpoint-rep-amira"' in everything


def test_a_webhook_is_sent_again_and_the_filters_stay(console: RunningConsole) -> None:
    with console.visit() as client:
        html = client.get("/deliveries?endpoint=rep%2Famira").text
        path = html.split("/redeliver")[0].rsplit('action="', 1)[1]
        page = act(client, f"{path}/redeliver?endpoint=rep%2Famira")

    assert page.url.query == b"endpoint=rep%2Famira"
    assert "The webhook is sent again" in page.text
    assert 'state-pending">pending' in section(page.text)


def test_a_replay_is_counted_and_then_made(console: RunningConsole) -> None:
    times = {"endpoint": "rep/amira", "since": "2026-11-18", "until": "2026-11-18", "type": ""}
    with console.visit() as client:
        counted = act(client, "/deliveries/replay", act="count", **times)
        replayed = act(client, "/deliveries/replay", act="replay", **times)
        refused = act(client, "/deliveries/replay", act="count", endpoint="rep/amira")

    assert "1 webhooks would be sent again." in counted.text
    assert 'value="2026-11-18"' in counted.text
    assert "1 webhooks are sent again." in replayed.text
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text


def test_an_endpoint_is_tested_enabled_and_gets_a_new_secret(console: RunningConsole) -> None:
    with console.visit() as client:
        tested = act(client, "/deliveries/endpoints/rep/amira/test")
        again = act(client, "/deliveries/endpoints/rep/amira/test")
        enabled = act(client, "/deliveries/endpoints/ops/enable")
        rotated = act(client, "/deliveries/endpoints/rep/amira/rotate")
        after = client.get("/deliveries").text

    assert "rep/amira: no response after" in tested.text
    assert again.status_code == 429
    assert "tested less than 10 s ago" in again.text
    assert "ops is in use." in enabled.text
    assert "All 4 endpoints are in use." in enabled.text
    assert "whsec_" in rotated.text
    assert "whsec_" not in after


def test_an_endpoint_is_deleted_and_what_waits_for_it_is_cancelled(
    console: RunningConsole,
) -> None:
    with console.visit() as client:
        deleted = act(client, "/deliveries/endpoints/rep/jonas/delete")
        unknown = act(client, "/deliveries/endpoints/rep/jonas/delete")
        cancelled = client.get("/deliveries?state=cancelled").text

    assert "rep/jonas is deleted, and 1 pending webhooks to it are cancelled." in deleted.text
    assert unknown.status_code == 404
    assert "rep/jonas" in section(cancelled)


def test_a_new_key_is_shown_by_its_public_key_in_the_list_too(console: RunningConsole) -> None:
    with console.visit() as client:
        first = act(client, "/deliveries/endpoints/rep/amira/rotate-key")
        second = act(client, "/deliveries/endpoints/rep/amira/rotate-key")
        after = client.get("/deliveries?all=1").text

    assert "Public key of rep/amira: whpk_" in first.text
    assert "The old key signs for 24 hours more." in second.text
    assert "<code>whpk_" in after


def test_an_endpoint_gets_another_address_and_a_new_one_is_added(console: RunningConsole) -> None:
    url = "https://93.184.215.14/services/T000"
    with console.visit() as client:
        changed = act(client, "/deliveries/endpoints/rep/amira/address", format="slack", url=url)
        kept = act(client, "/deliveries/endpoints/rep/amira/address", format="teams", url="")
        with console.sessions.begin() as session:
            endpoint_queries.delete_endpoint(session, "ops")
        added = act(client, "/deliveries/endpoints", id="ops", format="slack", url=url)
        refused = act(client, "/deliveries/endpoints", id="rep/nobody", format="slack", url=url)
        after = client.get("/deliveries?all=1").text

    assert "rep/amira takes webhooks as slack, at 93.184.215.14." in changed.text
    assert "rep/amira takes webhooks as teams" in kept.text
    assert "whsec_" in added.text
    assert refused.status_code == 404
    assert "T000" not in changed.text + kept.text + added.text + after
    assert "<option selected>teams</option>" in after


def test_who_only_reads_sees_no_acts_and_a_rep_not_the_page(console: RunningConsole) -> None:
    with console.visit("read") as client:
        page = client.get("/deliveries")
        refused = client.post("/deliveries/replay", data={"token": token_in(page.text)})
    with console.visit("rep") as client:
        hidden = client.get("/deliveries")

    assert page.status_code == 200
    assert 'action="/deliveries/' not in page.text
    assert refused.status_code == 403
    assert hidden.status_code == 403


def test_an_empty_installation_says_how_webhooks_come(sessions: Sessions) -> None:
    with running_console(sessions) as console, console.visit() as client:
        page = client.get("/deliveries").text

    assert "leadbaton reps import FILE" in page
    assert "No webhook was sent yet." in page
