"""The page of an event as conditions read it: one notation for a path, however a sender writes it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from shared.contracts.payloads import MarketingEvent


def path_of(event: MarketingEvent) -> str | None:
    """The path of the event's page, by its own `path` or `url`, else by those of its context; None without a page."""
    path = event.properties.get("path")
    if type(path) is str and path:
        return page_path(path)
    page = event.context.get("page")
    page = page if type(page) is dict else {}
    addresses = (page.get("path"), event.properties.get("url"), page.get("url"))
    return next((page_path(it) for it in addresses if type(it) is str and it), None)


def url_of(event: MarketingEvent) -> str | None:
    """The URL of the event's page, its scheme and host in lower case; None without one."""
    page: Any = event.context.get("page")
    addresses = (event.properties.get("url"), page.get("url") if type(page) is dict else None)
    return next((page_url(it) for it in addresses if type(it) is str and it), None)


@lru_cache(maxsize=4_000)
def page_path(address: str) -> str:
    """The path of a URL, or of a path: without query and fragment, and without slashes at its end; at least `/`."""
    path = address.partition("#")[0].partition("?")[0]
    if "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path.rstrip("/") or "/"


@lru_cache(maxsize=4_000)
def page_url(url: str) -> str:
    """The URL with scheme and host in lower case; what is no URL stays as it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.lower())) if parts.netloc else url
