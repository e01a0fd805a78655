"""Tests of the URLs that webhooks may reach, in every notation of an address."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssrfguard import SSRFGuardError

from shared.http.outbound import ForbiddenAddress, check_url
from shared.process.addresses import ports_of
from shared.process.destinations import DEFAULT_PORTS, destinations

PUBLIC = destinations([])
LOOPBACK = destinations([ip_network("127.0.0.0/8")])
INTERNAL = st.sampled_from(
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "168.63.129.16",
     "100.100.100.200", "100.64.0.1", "0.0.0.1", "192.0.0.192", "224.0.0.1", "255.255.255.255"]
).map(IPv4Address)  # fmt: skip


def refusal(url: str) -> bool:
    """Whether the policy refuses the URL."""
    try:
        check_url(url, PUBLIC)
    except ForbiddenAddress:
        return True
    return False


def test_a_refusal_names_the_settings() -> None:
    with pytest.raises(
        ForbiddenAddress, match="LEADBATON_ALLOW_NETWORKS and LEADBATON_ALLOW_PORTS"
    ):
        check_url("http://localhost/", PUBLIC)


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost.", "LOCALHOST", "LocalHost.", "foo.localhost", "a.b.localhost.",
        "localhost.localdomain", "localhost4", "localhost6.localdomain6", "ip6-localhost",
        "ip6-loopback", "ⓁⓄⒸⒶⓁⒽⓄⓈⓉ", "loc%61lhost", "metadata", "metadata.google.internal",
        "METADATA.google.internal.", "instance-data", "metadata.goog",
    ],
)  # fmt: skip
def test_names_of_the_machine_and_of_the_cloud_are_refused_whether_or_not_they_resolve(
    host: str,
) -> None:
    assert refusal(f"http://{host}/x")


@pytest.mark.parametrize(
    "host", ["localhost.example.invalid", "notlocalhost.invalid", "metadata.invalid"]
)
def test_names_that_only_look_like_them_pass(host: str) -> None:
    assert not refusal(f"https://{host}/x")


@given(INTERNAL)
def test_an_internal_address_is_refused_in_whatever_form(address: IPv4Address) -> None:
    number, octets = int(address), address.packed
    inverted = number ^ 0xFFFF_FFFF
    forms = [
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(map(hex, octets)),
        ".".join(f"0{it:o}" for it in octets),
        f"{octets[0]}.{number & 0xFFFFFF}",
        f"{octets[0]}.{octets[1]}.{number & 0xFFFF}",
        f"[::{address}]",
        f"[::ffff:{address}]",
        f"[::ffff:{number >> 16:x}:{number & 0xFFFF:x}]",
        f"[::ffff:0:{address}]",
        f"[64:ff9b::{address}]",
        f"[64:ff9b:1::{address}]",
        f"[64:ff9b:1:ffff::{address}]",
        f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::1]",
        f"[{IPv6Address((0x2001_0000 << 96) | (number << 64) | 0x80FF_FFFE)}]",
        f"[{IPv6Address((0x2001_0000 << 96) | (0x0808_0808 << 64) | inverted)}]",
        f"[2606:4700::5efe:{address}]",
        f"[2606:4700::200:5efe:{address}]",
    ]
    assert [it for it in forms if not refusal(f"http://{it}/")] == []


@pytest.mark.parametrize(
    "host",
    ["[::1]", "[::]", "[fe80::1]", "[fe80::1%25eth0]", "[fd00:ec2::254]", "[fd20:ce::254]", "[ff02::1]",
     "[2001:db8::1]", "①②⑦.0.0.1", "127。0。0。1", "0", "0x", "127.1.", "a.0x7f", "1.2.3.4.5"],
)  # fmt: skip
def test_other_addresses_that_are_not_public_are_refused(host: str) -> None:
    assert refusal(f"http://{host}/")


@pytest.mark.parametrize(
    "host",
    [
        "93.184.215.14",
        "[2606:4700::1111]",
        "[::ffff:93.184.215.14]",
        "[2606:4700::5efe:93.184.215.14]",
    ],
)
def test_public_addresses_pass(host: str) -> None:
    assert not refusal(f"https://{host}/")


def test_loopback_by_name_and_by_number_passes_where_the_network_is_allowed() -> None:
    for host in ("127.0.0.1", "localhost", "LOCALHOST.", "a.localhost"):
        check_url(f"http://{host}:8010/", LOOPBACK)
    for host in ("169.254.169.254", "metadata.google.internal", "[::1]", "[::ffff:127.0.0.1]"):
        with pytest.raises(ForbiddenAddress):
            check_url(f"http://{host}/", LOOPBACK)


@pytest.mark.parametrize(
    ("port", "passes"),
    [(":80", True), ("", True), (":1024", True), (":8443", True), (":65535", True),
     (":22", False), (":25", False), (":81", False), (":1023", False), (":0", False), (":65536", False)],
)  # fmt: skip
def test_only_allowed_ports_are_called(port: str, *, passes: bool) -> None:
    assert refusal(f"http://93.184.215.14{port}/") is not passes


def test_ports_are_a_setting() -> None:
    only = destinations([], ports=ports_of("8443"))
    check_url("https://93.184.215.14:8443/", only)
    with pytest.raises(ForbiddenAddress, match="port 443"):
        check_url("https://93.184.215.14/", only)
    assert {80, 443, 1024, 65_535} <= DEFAULT_PORTS
    assert len(DEFAULT_PORTS) == 2 + 65_535 - 1_023


def test_a_connection_is_held_to_the_same_as_a_url() -> None:
    for host in ("localhost", "metadata", "0x7f000001"):
        with pytest.raises(SSRFGuardError):
            PUBLIC.check_host(host)
    PUBLIC.check_host("93.184.215.14")
    PUBLIC.check_host("2606:4700::1111")
