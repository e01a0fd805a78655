"""Reads hosts, ports, brokers, URLs and networks as settings write them; the errors say what to write instead."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

HIGHEST_PORT = 65_535

_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_NUMBERS = re.compile(r"[0-9.]+")
_BROKER = re.compile(r"(?:\[([^\[\]]+)\]|([^\[\]:]+))(?::([0-9]{1,5}))?")
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_DRIVERS = ("postgresql", "postgresql+psycopg")


def check_host(text: str) -> None:
    """Raise ValueError unless the text is the name of a host or an IP address."""
    if not _is_host(text):
        raise ValueError(f"{text!r} is no host: write a name or an IP address, such as 127.0.0.1")


def check_brokers(text: str) -> None:
    """Raise ValueError unless the text is a list of hosts, each with a port or without one."""
    for part in text.split(","):
        match = _BROKER.fullmatch(part.strip())
        if match is None or not _is_host(match[1] or match[2]) or not _is_port(match[3]):
            raise ValueError(
                f"{part.strip()!r} is no broker: write HOST:PORT, several separated by commas"
            )


def check_http_url(text: str) -> None:
    """Raise ValueError unless the text is a URL with a host whose scheme is http or https."""
    with suppress(ValueError):
        parts = urlsplit(text)
        readable = text.isprintable() and " " not in text and _is_port(parts.port)
        if readable and parts.scheme in ("http", "https") and _is_host(parts.hostname or ""):
            return
    raise ValueError("write a URL such as https://leads.example.com")


def check_database_url(text: str) -> None:
    """Raise ValueError unless psycopg takes the URL. The error does not repeat the text, which may hold a password."""
    with suppress(ArgumentError, ValueError, psycopg.Error):
        url = make_url(text)
        if url.drivername in _DRIVERS and _is_port(url.port) and "\0" not in unquote(text):
            dialect = url.get_dialect()()
            make_conninfo(**dict(dialect.create_connect_args(url)[1]))
            return
    raise ValueError("write postgresql://USER:PASSWORD@HOST:PORT/DATABASE")


def networks_of(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks of a list that is separated by commas; raises ValueError."""
    return tuple(_network(part.strip()) for part in text.split(",") if part.strip())


def ports_of(text: str) -> frozenset[int]:
    """The ports of a list such as `80,443,1024-65535`; raises ValueError."""
    return frozenset().union(*(_port_range(part.strip()) for part in text.split(",")))


def _port_range(part: str) -> range:
    match = _PORTS.fullmatch(part)
    first, last = (match[1], match[2] or match[1]) if match else ("", "")
    if not match or not 1 <= int(first) <= int(last) <= HIGHEST_PORT:
        raise ValueError(
            f"{part!r} is no port: write numbers from 1 to {HIGHEST_PORT} and ranges, such as 80,443,1024-65535"
        )
    return range(int(first), int(last) + 1)


def _network(part: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(part)
    except ValueError:
        raise ValueError(
            f"{part!r} is no network: write its first address and its length, such as 10.0.0.0/8"
        ) from None


def _is_host(text: str) -> bool:
    with suppress(ValueError):
        ip_address(text)
        return True
    return _NAME.fullmatch(text) is not None and not _NUMBERS.fullmatch(text)


def _is_port(port: str | int | None) -> bool:
    return port is None or 1 <= int(port) <= HIGHEST_PORT
