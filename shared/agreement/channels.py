"""The channels that Leadbaton knows by itself; rules of the agreement come before them."""

from __future__ import annotations

import re
from functools import lru_cache

from shared.agreement.event_types import snake_case
from shared.agreement.model.channels import ChannelRule

_SOCIAL = (
    "facebook", "instagram", "linkedin", "twitter", "x", "youtube", "tiktok", "reddit", "pinterest",
    "xing", "threads", "mastodon", "snapchat", "fb", "ig", "meta",
)  # fmt: skip
_SOCIAL_HOSTS = (
    "facebook.com", "fb.com", "instagram.com", "linkedin.com", "lnkd.in", "twitter.com", "x.com",
    "t.co", "youtube.com", "youtu.be", "tiktok.com", "reddit.com", "pinterest.*", "xing.com",
    "threads.net", "threads.com", "bsky.app", "mastodon.social", "snapchat.com",
)  # fmt: skip
_PAID = ("cpc", "ppc", "cpm", "cpv", "paid", "sem", "retargeting")

BUILT_IN = (
    ChannelRule(channel="paid_social", mediums=_PAID, sources=_SOCIAL),
    ChannelRule(channel="paid_social", mediums=("paid_social", "paidsocial", "social_paid")),
    ChannelRule(
        channel="paid_search", mediums=("cpc", "ppc", "sem", "paid_search", "paidsearch", "search_paid")
    ),
    ChannelRule(
        channel="email",
        mediums=("email", "e_mail", "mail", "newsletter"),
        referrers=(
            "mail.google.com", "mail.yahoo.com", "outlook.live.com", "outlook.office.com",
            "outlook.office365.com",
        ),
        types=("email_clicked", "email_link_clicked"),
    ),
    ChannelRule(
        channel="event",
        mediums=("event", "webinar", "conference", "trade_show", "tradeshow"),
        types=(
            "webinar_registered", "webinar_attended", "event_registered", "event_attended",
            "trade_show_visited",
        ),
    ),
    ChannelRule(
        channel="organic_search",
        mediums=("organic", "organic_search"),
        referrers=(
            "google.*", "bing.com", "duckduckgo.com", "yahoo.*", "ecosia.org", "baidu.com", "yandex.*",
            "qwant.com", "startpage.com", "search.brave.com",
        ),
    ),
    ChannelRule(
        channel="social",
        mediums=("social", "organic_social", "social_media", "social_network"),
        referrers=_SOCIAL_HOSTS,
    ),
    ChannelRule(channel="social", sources=_SOCIAL),
    ChannelRule(channel="email", sources=("email", "newsletter")),
    ChannelRule(channel="referral", mediums=("referral", "affiliate", "partner")),
    ChannelRule(channel="direct", mediums=("none", "(none)")),
    ChannelRule(
        channel="direct",
        sources=("direct", "(direct)"),
        types=("form_submitted", "content_downloaded", "demo_requested", "contact_sales", "trial_started"),
    ),
)  # fmt: skip

REFERRAL = "referral"
"""The channel of a page of another site that no rule names."""
UNNAMED = "other"
"""The channel of a campaign of which no rule names the medium or the source."""

CHANNELS = frozenset({it.channel for it in BUILT_IN} | {REFERRAL, UNNAMED})

_NO_TOUCH = re.compile(
    r"(?:(?:e_?)?mail_?|message_|newsletter_|push_|notification_|sms_)?"
    r"(?:opened|opens?|delivered|sent|processed|bounced?|dropped|deferred|unsubscribed?|spam_reported|marked_as_spam)"
)


@lru_cache(maxsize=1_000)
def is_never_a_touch(event_type: str) -> bool:
    """Whether events of this type are opens, which mail programs cause too, or reports of mail servers."""
    return _NO_TOUCH.fullmatch(snake_case(event_type).replace(".", "_")) is not None
