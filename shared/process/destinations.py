"""The rules for URLs of webhooks: public addresses and allowed ports only, however a URL writes them.

Two networks and some names are added to those that ssrfguard denies by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from ssrfguard import (
    DEFAULT_DENIED,
    AddressTable,
    Block,
    BlockedURLError,
    Observer,
    Policy,
    Reach,
    Target,
)

from shared.process.addresses import HIGHEST_PORT, ports_of

ALLOW_NETWORKS = "LEADBATON_ALLOW_NETWORKS"
ALLOW_PORTS = "LEADBATON_ALLOW_PORTS"
DEFAULT_PORTS = ports_of("80,443,1024-65535")

_UNLISTED = (
    Block(ip_network("168.63.129.16/32"), "Azure's services of the host", "no RFC", Reach.DENIED),
    Block(ip_network("::ffff:0:0:0/96"), "IPv4-translated addresses", "RFC 2765", Reach.DENIED),
)
_DENIED = AddressTable((*DEFAULT_DENIED.blocks, *_UNLISTED))
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""RFC 5214: these 32 bits before the last 32 say that those are an IPv4 address, under any prefix."""

_LOCAL = re.compile(
    r"(.+\.)?localhost|(localhost|localhost[46]|ip6-localhost|ip6-loopback)(\.localdomain[46]?)?"
)
_METADATA = frozenset(
    {
        "instance-data",
        "instance-data.ec2.internal",
        "metadata",
        "metadata.goog",
        "metadata.google.internal",
        "metadata.tencentyun.com",
    }
)
_LOOPBACK = ("127.0.0.1", "::1")
_LINK_LOCAL = ("169.254.169.254",)
_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")
"""A host whose last label is a number is an IPv4 address, perhaps in octal, in hexadecimal or shortened."""


@dataclass(frozen=True)
class Destinations(Policy):
    """The policy for every call of a webhook: when its URL is saved, when it is tried and at each delivery."""

    ports: frozenset[int] = DEFAULT_PORTS

    def check_url(self, url: str, *, observer: Observer | None = None) -> Target:
        """The host and port to resolve; raises SSRFGuardError for a URL that may not be called."""
        target = super().check_url(url, observer=observer)
        self.check_host(target.host)
        if target.port not in self.ports:
            raise BlockedURLError(url, f"port {target.port} is not among those of {ALLOW_PORTS}")
        return target

    def check_host(self, host: str) -> None:
        """Raise BlockedURLError for names that stand for denied addresses, whether or not they resolve now."""
        super().check_host(host)
        name = host.lower().rstrip(".")
        addresses = _addresses_of(name)
        if addresses and not any(map(self.permits_address, addresses)):
            raise BlockedURLError(host, f"it is a name of {' or '.join(addresses)}")
        if _NUMBER.fullmatch(name) and not _is_address(name):
            raise BlockedURLError(
                host, "it is an IP address in an unusual form: write four decimal numbers"
            )

    def check_address(self, address: str | IPv4Address | IPv6Address) -> None:
        """Raise SSRFGuardError for a denied address, also for an IPv4 address inside an IPv6 address."""
        parsed = ip_address(address)
        super().check_address(parsed)
        if parsed.version == 6 and (int(parsed) >> 32) & 0xFFFF_FFFF in _ISATAP:
            super().check_address(IPv4Address(int(parsed) & 0xFFFF_FFFF))


def destinations(
    allow_networks: Sequence[IPv4Network | IPv6Network], *, ports: frozenset[int] = DEFAULT_PORTS
) -> Destinations:
    """The policy that allows public addresses and these networks, on these ports."""
    return Destinations(
        denied_networks=_DENIED,
        allowed_networks=tuple(allow_networks),
        allowed_ports=frozenset(
            range(1, HIGHEST_PORT + 1)
        ),  # else a refusal names all 64,514 ports
        ports=ports,
    )


def check_networks(networks: Sequence[IPv4Network | IPv6Network]) -> None:
    """Raise ValueError for a network whose addresses each hold an IPv4 address, which may be a denied one."""
    for network in networks:
        try:
            destinations([network])
        except ValueError:
            raise ValueError(
                f"{network} carries addresses of IPv4, loopback too: write the IPv4 networks that webhooks may reach"
            ) from None


def _addresses_of(name: str) -> tuple[str, ...]:
    if _LOCAL.fullmatch(name):
        return _LOOPBACK
    return _LINK_LOCAL if name in _METADATA else ()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
