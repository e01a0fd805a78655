"""Origins of web sites, such as `https://www.example.com`, in the form that browsers send."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

import idna

MAX_ORIGINS = 50
"""The most sites for one key."""

MAX_ORIGIN_CHARACTERS = 255
MAX_HOST_CHARACTERS = 240
"""In ASCII. With scheme and port the origin stays below MAX_ORIGIN_CHARACTERS."""

_EXAMPLE = "https://www.example.com"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def normal_origin(text: str) -> str:
    """The origin as a browser sends it; raises ValueError, whose text says what to write instead."""
    if text in ("*", "null"):
        raise ValueError(
            f"{text} would let pages of any site send: name each site, such as {_EXAMPLE}"
        )
    if len(text) > MAX_ORIGIN_CHARACTERS:
        raise ValueError(f"an origin has {MAX_ORIGIN_CHARACTERS} characters at most")
    parts = _parts(text)
    _check_nothing_else(parts)
    host = _host(parts.hostname or "")
    port = _port(parts)
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def comparable_origin(origin: str) -> str:
    """The normal form, or the text itself where it has none: older keys may hold unchecked origins."""
    try:
        return normal_origin(origin)
    except ValueError:
        return origin


def normal_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """The distinct origins in their order; raises ValueError for more than MAX_ORIGINS."""
    distinct = tuple(dict.fromkeys(origins))
    if len(distinct) > MAX_ORIGINS:
        raise ValueError(f"a key has {MAX_ORIGINS} origins at most: make another key")
    return distinct


def _parts(text: str) -> SplitResult:
    if not text.isprintable() or " " in text or "\\" in text:
        raise ValueError(f"write an origin without blanks, such as {_EXAMPLE}")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(f"this is no origin: write one such as {_EXAMPLE}") from None
    if parts.scheme not in _DEFAULT_PORTS or not text.lower().startswith(f"{parts.scheme}://"):
        raise ValueError(f"write https:// or http:// and the host, such as {_EXAMPLE}")
    return parts


def _check_nothing_else(parts: SplitResult) -> None:
    """Raise ValueError for a user name, path, query or fragment; a single slash at the end is accepted."""
    if "@" in parts.netloc:
        raise ValueError("an origin has no user name: leave out what is before the @")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            f"an origin has no path: write {parts.scheme}://{parts.netloc} for all pages of that site"
        )


def _port(parts: SplitResult) -> int | None:
    """The port, or None for the default port of the scheme."""
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("the port is a number of 1 to 65535")
    return None if port == _DEFAULT_PORTS[parts.scheme] else port


def _host(host: str) -> str:
    if "*" in host:
        raise ValueError("an origin names one host, without *: name each host")
    if ":" in host and "%" not in host:
        return f"[{_checked_ip(IPv6Address, host)}]"
    name = _ascii(host)
    if _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]):
        return _checked_ip(IPv4Address, name)
    if len(name) > MAX_HOST_CHARACTERS or not _HOST.fullmatch(name):
        raise ValueError(f"this is no host: write one such as {_EXAMPLE}")
    return name


def _checked_ip(kind: type[IPv4Address | IPv6Address], host: str) -> str:
    try:
        return str(kind(host))
    except ValueError:
        raise ValueError("this is no IP address: write all of it, such as 192.0.2.7") from None


def _ascii(host: str) -> str:
    """The host in lower case, with other alphabets as punycode."""
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise ValueError("this is no host with a form in DNS: write it in punycode") from None
