"""No personal data in logs or addresses, whatever page, download or act of the console is used."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import unquote_plus

import httpx
import pytest

from services.console.pages import ACTS, EXPORTS, PAGES
from shared.db.session import Sessions
from shared.process import logs
from tests.services.console.site import RunningConsole, running_console, session_token
from tests.services.console.two_reps import FIELDS, LATER, Holding, add_two_reps, email_of

pytestmark = pytest.mark.postgres

ENTRIES = {
    **FIELDS,
    "q": "ines-na",
    "note": "Wunschtermin montags",
    "reason": "Umzug wegen Krankheit",
    "channel": "Zuruf am Messestand",
    "outcome": "Rückruf gewünscht",
    "to": "Zyx Quillhorst",
    "name": "Quillhorsts Liste",
    "source": "teams: [Ypsilon Quillhorst]",
}
"""What a visitor writes into the forms: some of it is refused, and the refusal repeats it."""

WORDS = ("montags", "krankheit", "messestand", "gewünscht", "quillhorst", "ines-na")
"""Words of it, in small letters."""


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    levels = {name: logging.getLogger(name).level for name in (*logs.QUIET, *logs.SILENT)}
    yield
    root.handlers, root.level = handlers, level
    for name, level_before in levels.items():
        logging.getLogger(name).setLevel(level_before)


@contextmanager
def visit(console: RunningConsole, scope: str, addresses: list[str]) -> Iterator[httpx.Client]:
    """A visitor, every address of whom is added to the list: what is asked for, and where it is sent on."""

    def note(response: httpx.Response) -> None:
        addresses.extend([str(response.url), response.headers.get("location", "")])

    with console.visit(scope) as client:
        client.event_hooks["response"].append(note)
        yield client


def use_everything(client: httpx.Client, scope: str, own: Holding, addresses: list[str]) -> None:
    """Open every page, stream and download, and use each form that this scope may use."""
    token = session_token(client)
    for page in PAGES:
        response = client.get(own.path(page.path))
        assert response.status_code in (200, 403, 404), page.path
        addresses += re.findall(r'(?:href|action|data-live)="([^"]*)"', response.text)
        live = re.search(r'data-live="([^"]*)"', response.text)
        if live:
            with client.stream("GET", live[1]) as stream:
                assert next(stream.iter_raw())
    for export in EXPORTS:
        assert client.get(own.path(export.path)).status_code in (200, 403, 404), export.path
    for act in (it for it in ACTS if scope in it.scopes):
        response = client.post(own.path(act.path), data={**ENTRIES, "token": token})
        assert response.status_code != 500, act.path
        if response.status_code == 303:
            assert client.get(response.headers["location"]).status_code == 200, act.path


def occurrences(words: Sequence[str], texts: Sequence[str]) -> list[str]:
    """The texts that have one of the words in them, in whatever case or encoding of addresses."""
    plain = {it: unquote_plus(it).lower() for it in texts}
    return [it for it, text in plain.items() if any(word.lower() in text for word in words)]


@pytest.mark.usefixtures("_logging_as_before")
def test_no_personal_data_in_logs_or_urls_while_every_page_and_act_of_the_console_is_used(
    sessions: Sessions, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    logs.configure("DEBUG", service="test")
    holdings = add_two_reps(sessions)
    words = [it for holding in holdings.values() for it in holding.words]
    words += [*WORDS, "secret.example", *(email_of(it) for it in holdings)]
    addresses, secrets = list[str](), list[str]()
    with running_console(sessions, now=LATER) as console:
        for scope in ("rep", "ops"):
            with visit(console, scope, addresses) as client:
                use_everything(client, scope, holdings["amira"], addresses)

    lines = capfdbinary.readouterr().out.decode().splitlines()
    routes = {json.loads(it).get("route") for it in lines}
    for used in (PAGES, ACTS, EXPORTS):
        assert {it.path for it in used} <= routes
    assert {"/key", "/handoffs/{id}", "/clocks"} <= routes
    assert occurrences([*words, *secrets], lines) == []
    assert occurrences([*words, *secrets], addresses) == []
