"""Addresses as settings write them: hosts, brokers, URLs, networks. What is none is refused with the way to mend it."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from shared.process.ports import HIGHEST

_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_NUMBERS = re.compile(r"[0-9.]+")
_BROKER = re.compile(r"(?:\[([^\[\]]+)\]|([^\[\]:]+))(?::([0-9]{1,5}))?")
_DRIVERS = ("postgresql", "postgresql+psycopg")


def check_host(text: str) -> None:
    """Raise ValueError unless it is the name of a host, or an IP address."""
    if not _is_host(text):
        raise ValueError(f"{text!r} is no host: write a name or an IP address, such as 127.0.0.1")


def check_brokers(text: str) -> None:
    """Raise ValueError unless it is a list of hosts with ports."""
    for part in text.split(","):
        match = _BROKER.fullmatch(part.strip())
        if match is None or not _is_host(match[1] or match[2]) or not _is_port(match[3]):
            raise ValueError(
                f"{part.strip()!r} is no broker: write HOST:PORT, several separated by commas"
            )


def check_http_url(text: str) -> None:
    """Raise ValueError unless it is a URL of HTTP with a host."""
    with suppress(ValueError):
        parts = urlsplit(text)
        readable = text.isprintable() and " " not in text and _is_port(parts.port)
        if readable and parts.scheme in ("http", "https") and _is_host(parts.hostname or ""):
            return
    raise ValueError("write a URL such as https://leads.example.com")


def check_database_url(text: str) -> None:
    """Raise ValueError unless PostgreSQL's client takes it; the text, which may hold a password, is not repeated."""
    with suppress(ArgumentError, ValueError, psycopg.Error):
        url = make_url(text)
        if url.drivername in _DRIVERS and _is_port(url.port) and "\0" not in unquote(text):
            make_conninfo(**_options(url))
            return
    raise ValueError("write postgresql://USER:PASSWORD@HOST:PORT/DATABASE")


def networks_of(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks of a list; raises ValueError."""
    return tuple(_network(part.strip()) for part in text.split(",") if part.strip())


def _network(part: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(part)
    except ValueError:
        raise ValueError(
            f"{part!r} is no network: write its first address and its length, such as 10.0.0.0/8"
        ) from None


def _options(url: URL) -> dict[str, Any]:
    dialect = url.get_dialect()()
    return dict(dialect.create_connect_args(url)[1])


def _is_host(text: str) -> bool:
    with suppress(ValueError):
        ip_address(text)
        return True
    return _NAME.fullmatch(text) is not None and not _NUMBERS.fullmatch(text)


def _is_port(port: str | int | None) -> bool:
    return port is None or 1 <= int(port) <= HIGHEST
