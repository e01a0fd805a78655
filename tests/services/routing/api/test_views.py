"""Saved views over HTTP: one's own and shared ones, bounded in number and size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.routing.handlers.views import MAX_VIEWS, TooManyViews, save_view
from services.routing.queries.views import View
from tests.builders import NOON
from tests.services.routing.client import RoutingClient

pytestmark = pytest.mark.postgres

WAITING = {"query": "state=waiting&team=sales"}


def view(name: str) -> View:
    return View("ops/ops", name, "", shared=False, saved_at=NOON)


def names(client: RoutingClient, by: str) -> list[tuple[str, bool]]:
    """The name of each view that this caller sees, and whether it is the caller's own."""
    return [(it["name"], it["is_own"]) for it in client.get("/views", by=by)["items"]]


def test_a_view_is_saved_replaced_and_deleted(client: RoutingClient) -> None:
    saved = client.put("/views/EMEA%20%2F%20hot", {**WAITING, "shared": True})
    client.put("/views/all", {"query": ""})
    assert saved == {
        "name": "EMEA / hot",
        "query": "state=waiting&team=sales",
        "shared": True,
        "owner": "ops/ops",
        "is_own": True,
        "saved_at": "2026-11-18T12:10:00Z",
    }

    client.put("/views/all", {"query": "sort=oldest"})

    [shared, everything] = client.get("/views")["items"]
    assert shared == saved
    assert (everything["query"], everything["shared"]) == ("sort=oldest", False)
    client.delete("/views/all")
    client.delete("/views/all", status=404)
    assert names(client, "ops") == [("EMEA / hot", True)]


def test_others_see_what_is_shared_and_cannot_change_it(client: RoutingClient) -> None:
    client.put("/views/ours", {**WAITING, "shared": True})
    client.put("/views/mine", WAITING)
    client.put("/views/graces", WAITING, by="grace")

    assert names(client, "grace") == [("graces", True), ("ours", False)]
    client.delete("/views/ours", by="grace", status=404)
    client.put("/views/ours", {"query": ""}, by="grace")
    assert names(client, "ops") == [("mine", True), ("ours", True)]
    assert client.get("/views")["items"][1]["query"] == WAITING["query"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("x" * 101, WAITING),
        ("a%00b", WAITING),
        ("a", {}),
        ("a", {"query": "x" * 2_001}),
        ("a", {"query": "team=a b"}),
        ("a", {"query": "team=\u00e4"}),
        ("a", {"query": "", "owner": "ops/olga"}),
    ],
    ids=["long name", "NUL", "no query", "long", "blank", "not encoded", "owner"],
)
def test_what_is_no_view_is_refused(client: RoutingClient, name: str, body: Any) -> None:
    client.put(f"/views/{name}", body, status=422)
    assert client.get("/views")["items"] == []


def test_nobody_has_more_views_than_the_limit_even_at_once(client: RoutingClient) -> None:
    with client.sessions.begin() as session:
        for number in range(MAX_VIEWS - 1):
            save_view(session, view(f"view {number:03}"))

    def save(number: int) -> bool:
        try:
            with client.sessions.begin() as session:
                save_view(session, view(f"last {number}"))
        except TooManyViews:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(save, range(12))) == 1

    assert len(names(client, "ops")) == MAX_VIEWS
    refused = client.put("/views/one%20more", WAITING, status=409)
    assert refused["code"] == "too_many_views"
    client.put("/views/view%20000", WAITING)
    client.put("/views/one%20more", WAITING, by="grace")
