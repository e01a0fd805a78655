"""Tests of the page `/docs`: it shows every operation and loads nothing."""

from __future__ import annotations

import re

from fastapi import Query
from fastapi.testclient import TestClient

from shared.auth.keys import UnknownKey
from shared.db.session import engine_for, sessions_on
from shared.http.app import create_app
from shared.http.problems import problems


def client() -> TestClient:
    """A client of an API with two operations, whose database is never used."""
    sessions = sessions_on(engine_for("postgresql://nobody@127.0.0.1:1/nothing"))
    app = create_app(title="Things & more", summary="What there is.", sessions=sessions)

    @app.get("/things", responses=problems(UnknownKey))
    def parts(like: str = Query(description="A <part> of the name.")) -> list[str]:
        """All parts."""
        return [like]

    @app.delete("/things/{name}")
    def end_thing(name: str) -> None:
        pass

    return TestClient(app)


def test_every_operation_is_on_the_page() -> None:
    page = client().get("/docs")

    assert page.headers["content-type"].startswith("text/html")
    for expected in (
        "<title>Things &amp; more</title>",
        "What there is.",
        "<h3>GET /things</h3><p>All parts.</p>",
        "like, in the query</code></dt><dd><small>string (required)</small> A &lt;part&gt; of the name.",
        "<code>401</code></dt><dd>`unknown_key`: ",
        "<h3>DELETE /things/{name}</h3><p>End Thing</p>",
    ):
        assert expected in page.text


def test_the_page_loads_nothing() -> None:
    page = client().get("/docs")

    assert re.findall(r'(?:src|href)="[^"]*"', page.text) == ['href="openapi.json"']
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client().get("/openapi.json").json()["info"]["title"] == "Things & more"
    assert [client().get(it).status_code for it in ("/redoc", "/docs/oauth2-redirect")] == [404] * 2
