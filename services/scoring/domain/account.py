"""The account of an e-mail address: the registrable domain, unless it is one of free or disposable mail."""

from __future__ import annotations

from functools import lru_cache

import tldextract

FREE_MAIL = frozenset(
    {
        "163.com", "aol.com", "fastmail.com", "gmail.com", "gmx.at", "gmx.ch", "gmx.de", "gmx.net",
        "googlemail.com", "hey.com", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.fr",
        "icloud.com", "laposte.net", "libero.it", "live.com", "mac.com", "mail.com", "mail.ru",
        "mailbox.org", "me.com", "msn.com", "orange.fr", "outlook.com", "outlook.de", "pm.me",
        "posteo.de", "proton.me", "protonmail.com", "qq.com", "rediffmail.com", "t-online.de",
        "tuta.com", "tutanota.com", "wanadoo.fr", "web.de", "yahoo.co.jp", "yahoo.co.uk",
        "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.com", "yandex.ru", "ymail.com", "zoho.com",
    }
)  # fmt: skip
DISPOSABLE = frozenset(
    {
        "10minutemail.com", "dispostable.com", "fakeinbox.com", "getnada.com", "guerrillamail.com",
        "mailinator.com", "maildrop.cc", "sharklasers.com", "temp-mail.org", "tempmail.com",
        "throwawaymail.com", "trashmail.com", "yopmail.com",
    }
)  # fmt: skip

_extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
"""Uses the public suffix list inside the package, never the network."""


def account_of(email: str | None) -> str | None:
    """The registrable domain of the address; None for free mail, disposable mail and what is no domain."""
    return None if email is None else company_domain(email.rpartition("@")[2])


@lru_cache(maxsize=100_000)
def company_domain(address: str) -> str | None:
    """The registrable domain of a host or a URL; None for free-mail, disposable mail and what has no domain."""
    domain = registrable_domain(address)
    return None if domain is None or domain in FREE_MAIL or domain in DISPOSABLE else domain


@lru_cache(maxsize=4_000)
def registrable_domain(address: str) -> str | None:
    """The registrable domain of a host or a URL; None for what has none."""
    return _extract(address).top_domain_under_public_suffix or None
