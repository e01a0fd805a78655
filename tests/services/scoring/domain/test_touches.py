"""Which events are touches, and the channel of each."""

from __future__ import annotations

from typing import Any

import pytest

from services.scoring.domain.touches import ChannelTable, Origin, origin_of, touch_id
from shared.agreement.model import ChannelRule
from shared.contracts.payloads import EventKind
from tests.builders import marketing_event

BUILT_IN = ChannelTable(())
PAGE = "https://www.acme.com/pricing"


def origin(
    type: str = "page_viewed", table: ChannelTable = BUILT_IN, **fields: Any
) -> Origin | None:
    return origin_of(marketing_event(type, **fields), table)


def channel_of_campaign(campaign: dict[str, str], table: ChannelTable = BUILT_IN) -> str | None:
    named = origin(context={"campaign": campaign}, table=table)
    return None if named is None else named.channel


def channel_of_referrer(referrer: object, *, url: str | None = PAGE) -> str | None:
    properties = {"referrer": referrer, **({} if url is None else {"url": url})}
    named = origin(properties=properties)
    return None if named is None else named.channel


@pytest.mark.parametrize(
    ("campaign", "channel"),
    [
        ({"medium": "cpc", "source": "google"}, "paid_search"),
        ({"medium": "CPC", "source": "LinkedIn"}, "paid_social"),
        ({"medium": "Paid-Social", "source": "anything"}, "paid_social"),
        ({"medium": "paid search"}, "paid_search"),
        ({"medium": "e-mail"}, "email"),
        ({"source": "newsletter"}, "email"),
        ({"medium": "organic", "source": "bing"}, "organic_search"),
        ({"medium": "social"}, "social"),
        ({"source": "x"}, "social"),
        ({"medium": " Trade Show "}, "event"),
        ({"medium": "partner"}, "referral"),
        ({"medium": "(none)", "source": "(direct)"}, "direct"),
        ({"source": "(direct)"}, "direct"),
        ({"medium": "display", "source": "dv360"}, "other"),
        ({"name": "autumn"}, "other"),
    ],
)
def test_the_channel_of_a_campaign_is_that_of_its_medium_and_source(
    campaign: dict[str, str], channel: str
) -> None:
    assert channel_of_campaign(campaign) == channel


@pytest.mark.parametrize(
    ("referrer", "channel"),
    [
        ("https://www.google.com/", "organic_search"),
        ("https://www.google.co.uk/search?q=a", "organic_search"),
        ("https://mail.google.com/mail/u/0", "email"),
        ("https://WWW.LinkedIn.com/feed", "social"),
        ("https://lnkd.in/abc", "social"),
        ("android-app://com.google.android.gm/", "referral"),
        ("https://blog.partner.example/post", "referral"),
        ("https://docs.acme.com/", None),
        ("https://acme.com", None),
        ("http://intranet/", "referral"),
        ("http://[::1", None),
        ("not a url", None),
        ("", None),
        (7, None),
    ],
)
def test_the_channel_of_a_referrer_is_that_of_its_host(
    referrer: object, channel: str | None
) -> None:
    assert channel_of_referrer(referrer) == channel


def test_without_the_own_page_an_unknown_referrer_may_be_the_same_site() -> None:
    assert channel_of_referrer("https://blog.partner.example/", url=None) is None
    assert channel_of_referrer("https://www.bing.com/", url=None) == "organic_search"


def test_a_page_of_the_same_host_is_the_same_site_without_a_public_suffix_too() -> None:
    assert channel_of_referrer("http://intranet/a", url="http://intranet/b") is None
    assert channel_of_referrer("http://wiki/a", url="http://intranet/b") == "referral"


def test_the_referrer_may_be_that_of_the_page_in_the_context() -> None:
    page = {"url": PAGE, "referrer": "https://duckduckgo.com/"}

    assert origin(context={"page": page}) == Origin("organic_search", None)
    assert origin(context={"page": "home"}) is None


@pytest.mark.parametrize(
    ("type", "channel"),
    [
        ("email_clicked", "email"),
        ("webinar_attended", "event"),
        ("form_submitted", "direct"),
        ("page_viewed", None),
        ("button_clicked", None),
    ],
)
def test_some_types_are_touches_wherever_they_came_from(type: str, channel: str | None) -> None:
    assert origin(type) == (None if channel is None else Origin(channel, None))


def test_what_the_campaign_names_comes_before_the_referrer_and_that_before_the_type() -> None:
    fields: dict[str, Any] = {
        "context": {"campaign": {"medium": "cpc"}},
        "properties": {"url": PAGE, "referrer": "https://t.co/1"},
    }

    assert origin("webinar_registered", **fields) == Origin("paid_search", None)
    assert origin("webinar_registered", properties=fields["properties"]) == Origin("social", None)
    assert origin("webinar_registered") == Origin("event", None)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "email_opened"},
        {"type": "Email Opened"},
        {"type": "mail.open"},
        {"type": "open"},
        {"type": "email_delivered"},
        {"type": "email_bounced"},
        {"type": "email_unsubscribed"},
        {"marks": ("bot",)},
        {"marks": ("clock_ahead", "burst")},
        {"kind": EventKind.IDENTIFY},
        {"kind": EventKind.ALIAS},
    ],
    ids=str,
)
def test_opens_and_robots_and_news_about_identities_are_never_touches(
    fields: dict[str, Any],
) -> None:
    assert origin(**{"context": {"campaign": {"medium": "email", "name": "May"}}, **fields}) is None


def test_an_event_with_another_mark_is_a_touch() -> None:
    assert origin("form_submitted", marks=("clock_ahead",)) == Origin("direct", None)


@pytest.mark.parametrize(
    ("fields", "campaign"),
    [
        ({"name": "autumn", "id": "7"}, "autumn"),
        ({"name": " ", "campaign": "spring"}, "spring"),
        ({"name": 2026, "id": "7"}, "7"),
        ({"name": "x" * 300}, "x" * 200),
        ({"medium": "email", "name": None}, None),
    ],
    ids=["name", "blank-name", "number", "long", "none"],
)
def test_a_campaign_is_a_text_of_at_most_200_characters(
    fields: dict[str, object], campaign: str | None
) -> None:
    named = origin(context={"campaign": {"medium": "email", **fields}})

    assert named == Origin("email", campaign)


@pytest.mark.parametrize(
    "campaign", ["autumn", {}, {"medium": 7}, {"medium": " ", "source": ""}, [], None], ids=str
)
def test_a_campaign_that_names_nothing_is_no_touch(campaign: object) -> None:
    assert origin(context={"campaign": campaign}) is None


def test_rules_of_the_agreement_come_before_the_table() -> None:
    table = ChannelTable(
        [
            ChannelRule(channel="ads", mediums=("cpc",), sources=("Google-Ads",)),
            ChannelRule(channel="partners", referrers=("Partner.example", "blog.google.com")),
            ChannelRule(channel="fairs", types=("badge_scanned", "form_submitted")),
        ],
        hand_raises=("demo_asked",),
    )

    assert channel_of_campaign({"medium": "CPC", "source": "google ads"}, table) == "ads"
    assert channel_of_campaign({"medium": "cpc", "source": "google"}, table) == "paid_search"
    for type, channel in (
        ("badge_scanned", "fairs"),
        ("form_submitted", "fairs"),
        ("demo_asked", "direct"),
    ):
        assert origin(type, table) == Origin(channel, None)
    for host, channel in (("eu.partner.example", "partners"), ("blog.google.com", "partners")):
        properties = {"url": PAGE, "referrer": f"https://{host}/"}
        assert origin(table=table, properties=properties) == Origin(channel, None)


def test_the_id_of_a_touch_is_the_same_for_the_same_event_and_hides_the_senders_id() -> None:
    assert touch_id("web", "ada@example.com-1") == touch_id("web", "ada@example.com-1")
    assert "ada" not in touch_id("web", "ada@example.com-1")
    assert touch_id("web", "1") != touch_id("web", "2")
