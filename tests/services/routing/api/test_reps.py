"""Reps over HTTP."""

from __future__ import annotations

import pytest

from tests.services.routing.client import RoutingClient

pytestmark = pytest.mark.postgres


def test_reps_are_listed_with_the_number_of_their_handoffs(client: RoutingClient) -> None:
    [grace, linus] = client.get("/reps")["items"]

    assert (grace["id"], grace["holds"], grace["open_limit"]) == ("grace", 1, 1)
    assert (linus["active"], linus["endpoint_disabled"]) == (False, None)
    assert [it["id"] for it in client.get("/reps", by="grace")["items"]] == ["grace"]
