"""Attainment, over HTTP."""

from __future__ import annotations

import pytest

from tests.services.sla_monitor.api.clients import SlaClient

pytestmark = pytest.mark.postgres


def test_attainment_counts_the_unanswered_as_broken(ops: SlaClient) -> None:
    got = ops.get("attainment", since="2026-11-18", until="2026-11-18")
    [team] = got["items"]
    assert (got["by"], got["since"], got["until"]) == ("team", "2026-11-18", "2026-11-18")
    # Both of Grace's promises were kept, and the slower one of Linus's.
    assert (team["group"], team["met"], team["late"], team["overdue"]) == ("sales", 3, 1, 1)
    assert (team["promised"], team["attainment"]) == (5, 0.6)
    assert team["accept"] is None
    assert team["first_touch"]["answers"] == 4
    assert team["first_touch"]["business_p90_s"] == pytest.approx(70 * 60, rel=0.1)


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("rep", {"ada": 0.0, "grace": 1.0, "linus": 0.5}),
        ("tier", {"enterprise": 0.0, "standard": 0.75}),
        ("day", {"2026-11-18": 0.6}),
    ],
)
def test_attainment_is_split_by(ops: SlaClient, by: str, groups: dict[str, float]) -> None:
    items = ops.get("attainment", by=by)["items"]
    assert {it["group"]: it["attainment"] for it in items} == groups


def test_attainment_is_narrowed_and_of_the_dates_only(ops: SlaClient) -> None:
    assert ops.get("attainment", rep="nobody")["items"] == []
    assert ops.get("attainment", until="2026-11-17")["items"] == []
    assert ops.get("attainment", tier="enterprise")["items"][0]["promised"] == 1
