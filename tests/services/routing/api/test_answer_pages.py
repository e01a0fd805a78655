"""Answer pages over real HTTP: opening one changes nothing, and an answer takes a person."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import delete

from services.routing.api.answer_pages import COOKIE, HEADERS
from services.routing.domain.answer_links import (
    fingerprint,
)
from services.routing.domain.answers import Actor, Answer
from services.routing.handlers.answers import on_answer
from services.routing.main import build_api
from services.routing.tables import handoffs
from shared.contracts.payloads import Change
from shared.db.session import engine_for, sessions_on
from shared.process import logs
from tests.engine import PATIENCE_S
from tests.services.routing.answer_site import (
    ASSIGNED,
    SECRET,
    SLOW,
    Site,
    form_of,
    send,
    served,
)
from tests.services.routing.builders import (
    build_assigner,
    entry,
    importing,
)
from tests.services.routing.client import ADA
from tests.serving import serving

pytestmark = pytest.mark.postgres


def test_the_page_says_who_why_and_until_when_and_takes_text_as_text(site: Site) -> None:
    with site.visit() as client:
        page = client.get(site.path())

    assert page.status_code == 200
    assert "Ada &lt;b&gt;Lovelace&lt;/b&gt;" in page.text
    assert "Analytical &amp; Sons" in page.text
    assert "<script" not in page.text
    assert "Request a demo" in page.text
    assert "First touch by" in page.text
    assert "Wed 18 Nov 13:00" in page.text
    assert "in 50 min" in page.text
    assert 'href="tel:+442079460000"' in page.text
    assert 'href="mailto:ada@example.com"' in page.text
    assert page.text.count("Countess") == 1
    assert re.findall(r'<button name="answer" value="(\w+)">', page.text) == [
        "accepted",
        "contacted",
        "paused",
        "rejected",
    ]
    assert " checked" not in page.text
    assert " selected" not in page.text


def test_the_page_has_the_card_and_takes_a_persons_words_as_text(site: Site) -> None:
    with site.visit() as rep:
        text = rep.get(site.path()).text

    assert '<dt dir="auto">What hurts &lt;most&gt;</dt>' in text
    assert '<q class="words" dir="auto">Nobody calls us.\n&lt;img src=x&gt; veryvery' in text
    assert '<q class="words" dir="auto">نريد عرضا توضيحيا 👩‍💻</q>' in text
    for line in ("Decides &amp; signs", "Prices (3)", "campaign &lt;autumn&gt;", "unknown"):
        assert f"{line}" in text
    assert (
        "&lt;script&gt;alert(1)" in text
    )  # no question asks for the message, so that it stands with the cause


def test_opening_changes_nothing_and_sets_only_a_nonce(site: Site) -> None:
    before = site.steps()
    with site.visit() as client:
        responses = [
            client.request(method, site.path()) for method in ("HEAD", "GET", "OPTIONS") * 2
        ]
        cookies = [it.headers.get_list("set-cookie") for it in responses]

    assert [it.status_code for it in responses] == [200, 200, 204] * 2
    assert site.steps() == before
    assert [len(it) for it in cookies] == [1, 1, 0] * 2
    for [cookie] in filter(None, cookies):
        assert cookie.startswith(f"{COOKIE}=")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert f"Path={site.path()}" in cookie
        assert "Secure" not in cookie
    assert responses[0].content == b""
    for response in responses:
        assert {name: response.headers[name] for name in HEADERS} == HEADERS


def test_over_https_the_nonce_is_secure_and_knows_the_path_of_the_proxy(site: Site) -> None:
    _, app = served(site.sessions, SECRET, public_url="https://leads.example.com/reps/")
    with serving(app) as url:
        cookie = httpx.get(url + site.path(), timeout=PATIENCE_S).headers["set-cookie"]

    assert "Secure" in cookie
    assert f"Path=/reps{site.path()}" in cookie


def test_accepting_is_saved_and_a_second_time_says_what_happened(site: Site) -> None:
    with site.visit() as client:
        first = send(client, site, site.path(), "accepted")
        second = send(client, site, site.path(), "accepted", after=timedelta(hours=1))

    assert (first.status_code, second.status_code) == (200, 200)
    assert "Saved. Thank you." in first.text
    assert "This was saved before" in second.text
    assert "You accepted this lead" in second.text
    assert site.steps() == [*ASSIGNED, ("accepted", "grace")]
    assert 'value="accepted"' not in second.text


def test_a_contact_has_its_channel_its_outcome_and_its_note(site: Site) -> None:
    with site.visit() as client:
        fields: Any = {"channel": "phone", "outcome": "no_answer", "note": "call\0 again"}
        answer = send(client, site, site.path(), "contacted", **fields)
        again = client.post(site.path(), data=form_of(answer, "contacted", **fields))
        site.now += SLOW
        again = client.post(site.path(), data=form_of(answer, "contacted", **fields))

    assert "You reported a contact: no answer" in answer.text
    assert "This was saved before" in again.text
    assert site.steps() == [*ASSIGNED, ("contacted", "grace")]


def test_a_lead_that_is_handed_back_goes_to_another_rep_and_the_link_says_to_whom(
    site: Site,
) -> None:
    with site.visit() as client:
        answer = send(client, site, site.path(), "rejected", reason="no_capacity")
        opened = client.get(site.path())
        sent = client.post(site.path(), data={"answer": "accepted"})

    assert answer.status_code == 200
    assert site.steps()[1:] == [("rejected", None), ("reassigned", "linus")]
    for later in (opened, sent):
        assert later.status_code == 410
        assert "Linus has it now." in later.text
        assert "You handed this lead back: no capacity" in later.text
        assert "<button" not in later.text
        assert "ada@example.com" not in later.text


def test_a_lead_can_be_paused_and_resumed(site: Site) -> None:
    with site.visit() as client:
        send(client, site, site.path(), "accepted")
        paused = send(client, site, site.path(), "paused", reason="on_holiday")
        resumed = send(client, site, site.path(), "resumed")

    assert "Saved." in paused.text
    assert "You paused this lead: on holiday" in paused.text
    assert "Mon 30 Nov 09:49" in paused.text  # the first touch, after ten days at most
    assert "Wed 18 Nov 13:00" in resumed.text
    assert "Saved." in resumed.text
    assert [change for change, _ in site.steps()[2:]] == ["paused", "resumed"]


def test_what_ops_closed_in_the_meantime_is_said_too(site: Site) -> None:
    with site.sessions.begin() as session:
        assigner = build_assigner(session)
        lost = Answer(Change.LOST, details={"reason": "price"})
        on_answer(session, ADA, lost, actor=Actor("ops", "olga"), assigner=assigner, now=site.now)
    with site.visit() as client:
        opened = client.get(site.path())
        sent = client.post(site.path(), data={})

    assert (opened.status_code, sent.status_code) == (200, 409)
    assert "Operations closed this lead as lost: price" in opened.text
    assert "Grace closed it as lost." in sent.text


def test_a_waiting_lead_and_one_that_is_gone_are_said(site: Site) -> None:
    with site.sessions.begin() as session:
        importing(session, entry("grace"), entry("linus", active=False))
    with site.visit() as client:
        answer = send(client, site, site.path(), "rejected", reason="no_capacity")
        assert "It waits for another rep." in answer.text
    with site.sessions.begin() as session:
        session.execute(delete(handoffs))
    with site.visit() as client:
        assert client.get(site.path()).status_code == 404


def test_no_log_line_and_no_metric_has_the_token(
    site: Site, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    logs.configure("DEBUG", service="routing-api")
    token = site.path().removeprefix("/a/")
    _, app = served(site.sessions, SECRET)  # the log of an app is that of when it is built
    with serving(app) as site.url, site.visit() as client:
        send(client, site, site.path(), "accepted")
        client.post(site.path(), data={})
        client.get(site.path() + "/")
        client.get(f"/a/?{token}")
        client.put(site.path())
        metrics = client.get("/metrics").text
    output = capsysbinary.readouterr()

    for text in (output.out.decode(), output.err.decode(), metrics):
        assert token not in text
        assert token[:40] not in text
    lines = [json.loads(it) for it in output.out.splitlines()]
    assert fingerprint(token) in {it.get("link") for it in lines}
    assert {"method": "POST", "route": "/a/{token}"}.items() <= next(
        it for it in lines if it.get("method") == "POST"
    ).items()


def test_the_style_sheet_is_the_only_file(site: Site) -> None:
    with site.visit() as client:
        style = client.get("/answers.css")
        page = client.get(site.path()).text

    assert style.headers["content-type"].startswith("text/css")
    assert re.findall(r'(?:src|href)="(?!mailto|tel|data)([^"]*)"', page) == ["../answers.css"]


def test_while_the_database_is_away_the_page_says_so(site: Site) -> None:
    away = sessions_on(engine_for("postgresql://nobody@127.0.0.1:1/nowhere"))
    app = build_api(away, time_source=lambda: site.now, secret_key=SecretStr(SECRET))
    with serving(app) as url:
        answer = httpx.get(url + site.path(), timeout=PATIENCE_S)

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "nothing is lost" in answer.text.lower()
