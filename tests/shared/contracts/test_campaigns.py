"""The name of a campaign."""

from __future__ import annotations

from shared.contracts.campaigns import campaign_name


def test_a_campaign_is_called_by_its_name_before_anything_else() -> None:
    assert campaign_name({"campaign": "autumn"}) == "autumn"
    assert campaign_name({"name": "winter", "campaign": "autumn"}) == "winter"
    assert campaign_name({"medium": "cpc"}) is None
    assert campaign_name({"name": "", "campaign": ""}) is None
