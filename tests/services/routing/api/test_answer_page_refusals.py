"""What saves nothing: programs that open links, forms of other pages, links that are none or have ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from services.routing.api.answer_pages import COOKIE, HEADERS
from services.routing.main import build_api
from tests.engine import PATIENCE_S
from tests.services.routing.answer_site import (
    ASSIGNED,
    NEW_SECRET,
    SECRET,
    SLOW,
    TOO_SOON,
    Site,
    form_of,
    send,
    served,
)
from tests.services.routing.builders import (
    entry,
    importing,
)
from tests.serving import serving

pytestmark = pytest.mark.postgres


def test_an_answer_within_a_second_is_shown_again_for_confirmation(site: Site) -> None:
    with site.visit() as client:
        response = send(
            client, site, site.path(), "rejected", after=TOO_SOON, reason="no_capacity", note="<b>"
        )
        assert site.steps() == ASSIGNED
        assert response.status_code == 200
        assert "Nothing is saved yet" in response.text
        assert "Hand it back, No capacity" in response.text
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', response.text))
        assert (hidden["answer"], hidden["note"]) == ("rejected", "&lt;b&gt;")
        site.now += TOO_SOON
        assert "Nothing is saved yet" in client.post(site.path(), data=hidden).text
        site.now += SLOW
        client.post(site.path(), data=hidden)

    assert site.steps()[1:] == [("rejected", None), ("reassigned", "linus")]


def without_cookie(client: httpx.Client, site: Site, path: str) -> httpx.Response:
    page = client.get(path)
    site.now += SLOW
    client.cookies.clear()
    return client.post(path, data=form_of(page, "accepted"))


def without_stamp(client: httpx.Client, site: Site, path: str) -> httpx.Response:
    client.get(path)
    site.now += SLOW
    return client.post(path, data={"answer": "accepted"})


def with_another_cookie(client: httpx.Client, site: Site, path: str) -> httpx.Response:
    page = client.get(path)
    site.now += SLOW
    client.cookies.clear()
    client.cookies.set(COOKIE, "0" * 32)
    return client.post(path, data=form_of(page, "accepted"))


def from_another_site(client: httpx.Client, site: Site, path: str) -> httpx.Response:
    page = client.get(path)
    site.now += SLOW
    headers = {"sec-fetch-site": "cross-site"}
    return client.post(path, data=form_of(page, "accepted"), headers=headers)


def after_a_day(client: httpx.Client, site: Site, path: str) -> httpx.Response:
    return send(client, site, path, "accepted", after=timedelta(hours=13))


@pytest.mark.parametrize(
    "attempt",
    [without_cookie, without_stamp, with_another_cookie, from_another_site, after_a_day],
    ids=lambda it: it.__name__,
)
def test_a_form_that_no_page_in_this_browser_sent_saves_nothing(
    site: Site, attempt: Callable[[httpx.Client, Site, str], httpx.Response]
) -> None:
    with site.visit() as client:
        refused = attempt(client, site, site.path())

    assert refused.status_code == 403
    assert "Nothing is saved" in refused.text
    assert 'value="accepted"' in refused.text
    assert site.steps() == ASSIGNED


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"answer": "rejected", "reason": ""},
        {"answer": "rejected", "reason": "because"},
        {"answer": "won"},
    ],
    ids=str,
)
def test_without_a_choice_nothing_is_saved(site: Site, fields: dict[str, str]) -> None:
    with site.visit() as client:
        page = client.get(site.path())
        site.now += SLOW
        refused = client.post(site.path(), data={**form_of(page, ""), "answer": "", **fields})

    assert refused.status_code == 422
    assert "othing is saved" in refused.text
    assert site.steps() == ASSIGNED


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"stamp=%ff", 422),
        (b"&".join(b"a=1" for _ in range(50)), 422),
        (b"note=" + b"n" * 40_000, 422),
        (b'{"answer": 1}', 403),
    ],
    ids=["no utf-8", "many fields", "too long", "json"],
)
def test_a_body_that_is_no_form_saves_nothing(site: Site, content: bytes, status: int) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    with site.visit() as client:
        refused = client.post(site.path(), content=content, headers=headers)

    assert refused.status_code == status
    assert site.steps() == ASSIGNED


def test_links_that_are_none_or_have_ended_have_a_page(site: Site) -> None:
    ended = site.path(until=site.now)
    with site.visit() as client:
        answers = [
            client.request(method, path)
            for path in ("/a/x", site.path()[:-1], ended, site.path(rep="nobody"))
            for method in ("GET", "POST")
        ]

    assert [it.status_code for it in answers] == [404, 404, 404, 404, 410, 410, 403, 403]
    for answer in answers:
        assert "This link does not work" in answer.text
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "set-cookie" not in answer.headers
        assert "Ada" not in answer.text


def test_a_rep_who_never_had_the_lead_sees_nothing_of_it(site: Site) -> None:
    with site.visit() as client:
        answer = client.get(site.path(rep="linus"))

    assert answer.status_code == 404
    assert "Ada" not in answer.text


def test_a_rep_who_is_not_active_any_more_cannot_answer(site: Site) -> None:
    with site.sessions.begin() as session:
        importing(session, entry("grace", active=False), entry("linus"))
    with site.visit() as client:
        assert client.get(site.path()).status_code == 403


def test_a_replaced_secret_key_keeps_links_valid_and_without_one_there_are_none(site: Site) -> None:
    rotated, app = served(site.sessions, f"{NEW_SECRET},{SECRET}")
    with serving(app) as rotated.url, rotated.visit() as client:
        assert client.get(site.path()).status_code == 200
        assert "Saved" in send(client, rotated, site.path(), "accepted").text
    bare = build_api(site.sessions, time_source=lambda: site.now)
    with serving(bare) as url:
        assert httpx.get(url + site.path(), timeout=PATIENCE_S).status_code == 404
