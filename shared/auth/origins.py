"""Origins of web sites, as browsers write them: `https://www.example.com`, `http://localhost:3000`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

import idna

MAX_ORIGINS = 50
"""So many sites may send with one key."""

MAX_ORIGIN_CHARACTERS = 255
MAX_HOST_CHARACTERS = 240
"""In ASCII. With the scheme and a port it is an origin still."""

_EXAMPLE = "https://www.example.com"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def normal_origin(text: str) -> str:
    """The origin as a browser sends it; raises ValueError with what is wrong and how to mend it."""
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


def as_compared(origin: str) -> str:
    """The normal form; of what has none, as keys of before origins were checked may have it, the text itself."""
    try:
        return normal_origin(origin)
    except ValueError:
        return origin


def normal_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Each of them once, in their order; raises ValueError where they are too many for a key."""
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
    """Raise ValueError for what no origin has; a single slash at the end does no harm."""
    if "@" in parts.netloc:
        raise ValueError("an origin has no user name: leave out what is before the @")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            f"an origin has no path: write {parts.scheme}://{parts.netloc} for all pages of that site"
        )


def _port(parts: SplitResult) -> int | None:
    """The port; None for the one that the scheme has anyway."""
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("the port is a number of 1 to 65535")
    return None if port == _DEFAULT_PORTS[parts.scheme] else port


def _host(host: str) -> str:
    if "*" in host:
        raise ValueError("an origin names one host, and * none: name each host")
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
    """The host as DNS has it: lower case, other alphabets as punycode."""
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise ValueError("this is no host that DNS can have: write it in punycode") from None
