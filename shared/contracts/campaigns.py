"""The name of a campaign, as it stands in the context of a lead."""

from __future__ import annotations

from collections.abc import Mapping


def campaign_name(campaign: Mapping[str, str]) -> str | None:
    """The name of the campaign; None where it has none. Some senders call it `campaign`."""
    return campaign.get("name") or campaign.get("campaign") or None
