"""Every page, download and act, made from the lists of them: who sees and changes what, and what no request leaks."""

from __future__ import annotations

import html
import re

import httpx
import pytest

from services.console.pages import ACTS, EXPORTS, PAGES
from services.console.pages.page import Act, Export, Page
from tests.engine import PATIENCE_S
from tests.loopback import NO_TLS
from tests.services.console.site import session_token
from tests.services.console.two_reps import FIELDS, HTML, Installation, sees

pytestmark = pytest.mark.postgres

EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda it: it.path)
EVERY_EXPORT = pytest.mark.parametrize("export", EXPORTS, ids=lambda it: it.path)
EVERY_ACT = pytest.mark.parametrize("act", ACTS, ids=lambda it: it.path)


@EVERY_PAGE
def test_ops_see_every_page_with_names_and_events_as_text(
    installation: Installation, page: Page
) -> None:
    with installation.console.visit() as client:
        response = client.get(installation.others.path(page.path))

    assert response.status_code == 200, response.text
    assert sees(HTML, response.text) == []


@EVERY_PAGE
def test_no_address_on_a_page_has_personal_data(installation: Installation, page: Page) -> None:
    with installation.console.visit() as client:
        response = client.get(installation.own.path(page.path))

    addresses = re.findall(r'(?:href|action|data-live)="([^"]*)"', response.text)
    personal = ("-name", "-firm", "-mail", "secret.example")
    assert addresses
    assert [it for it in map(html.unescape, addresses) if sees(personal, it)] == []


@EVERY_PAGE
def test_a_rep_sees_nothing_of_others(installation: Installation, page: Page) -> None:
    console, others = installation.console, installation.others
    with console.visit("rep") as client:
        of_others = client.get(others.path(page.path))
        own = client.get(installation.own.path(page.path))

    is_of_one = "{" in page.path
    if "rep" not in page.scopes:
        assert (of_others.status_code, own.status_code) == (403, 403)
    else:
        assert own.status_code == 200, own.text
        assert of_others.status_code in ((403, 404) if is_of_one else (200,))
    assert sees((*others.secrets, "Linus"), own.text) == []
    assert (
        sees((*others.words, "Linus"), of_others.text) == []
    )  # a refusal repeats the address's id


@pytest.mark.parametrize(
    "page", [it for it in PAGES if it.streams and "rep" in it.scopes], ids=lambda it: it.path
)
def test_a_reps_stream_has_nothing_of_others(installation: Installation, page: Page) -> None:
    view = {"view": installation.own.path(page.path)}
    with (
        installation.console.visit("rep") as client,
        client.stream("GET", "/live", params=view) as stream,
    ):
        state = first_state(stream)

    assert 'data: <div id="live">' in state
    assert sees((*installation.others.secrets, "Linus"), state) == []


def first_state(stream: httpx.Response) -> str:
    """The first event of a stream that has data."""
    lines: list[str] = []
    for line in stream.iter_lines():
        if not line and any(it.startswith("data:") for it in lines):
            break
        lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize(
    "page", [it for it in PAGES if it.streams and "rep" not in it.scopes], ids=lambda it: it.path
)
def test_a_rep_gets_no_stream_of_a_page_for_ops(installation: Installation, page: Page) -> None:
    view = {"view": installation.own.path(page.path)}
    with installation.console.visit("rep") as client:
        assert client.get("/live", params=view).status_code == 403


@EVERY_EXPORT
def test_a_download_has_what_its_visitor_sees(installation: Installation, export: Export) -> None:
    with installation.console.visit() as ops, installation.console.visit("rep") as rep:
        of_ops = ops.get(installation.others.path(export.path))
        of_rep = rep.get(installation.others.path(export.path))

    assert of_ops.status_code == 200, of_ops.text
    assert of_ops.headers["content-type"] == "text/csv; charset=utf-8"
    assert of_ops.headers["content-disposition"].endswith('.csv"')
    assert "," in of_ops.text.splitlines()[0]
    of_another = (
        404 if "{" in export.path else 200
    )  # the lead of another rep, or the rep's own list
    assert of_rep.status_code == (of_another if "rep" in export.scopes else 403)
    others = installation.others
    secrets = others.words if "{" in export.path else others.secrets  # a refusal repeats the id
    assert sees((*secrets, "linus"), of_rep.text) == []


@EVERY_ACT
def test_a_forged_form_is_refused_and_does_nothing(installation: Installation, act: Act) -> None:
    console, path = installation.console, installation.own.path(act.path)
    with console.visit() as client, console.visit() as another, installation.unchanged():
        token = session_token(client)
        elsewhere = {"sec-fetch-site": "cross-site"}
        responses = [
            client.post(path, data=FIELDS),
            client.post(path, data={**FIELDS, "token": token[::-1]}),
            client.post(path, data={**FIELDS, "token": session_token(another)}),
            client.post(path, data={**FIELDS, "token": token}, headers=elsewhere),
        ]

    assert [it.status_code for it in responses] == [400] * 4
    assert all("form" in it.text for it in responses)


@EVERY_ACT
@pytest.mark.parametrize("scope", ["rep", "read"])
def test_who_may_not_act_changes_nothing_of_others(
    installation: Installation, act: Act, scope: str
) -> None:
    is_of_one = "{" in act.path or act.path == "/handoffs/views/delete"
    if scope in act.scopes and not is_of_one:
        pytest.skip("it changes nothing that belongs to somebody else")
    console = installation.console
    with console.visit(scope) as client, installation.unchanged():
        fields = {**FIELDS, "token": session_token(client)}
        response = client.post(installation.others.path(act.path), data=fields)

    assert response.status_code in ((403, 404) if scope in act.scopes else (403,))
    assert sees((*installation.others.words, "Linus"), response.text) == []


@EVERY_ACT
def test_without_a_session_nothing_is_done(installation: Installation, act: Act) -> None:
    with installation.unchanged():
        path = installation.own.path(act.path)
        response = httpx.post(
            f"{installation.console.url}{path}", data=FIELDS, timeout=PATIENCE_S, verify=NO_TLS
        )

    assert (response.status_code, response.headers["location"]) == (303, "/sign-in")
