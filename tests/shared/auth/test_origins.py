"""Tests of origins in the form that browsers send, and of the refusal of others."""

from __future__ import annotations

import pytest

from shared.auth.origins import MAX_ORIGINS, comparable_origin, normal_origin, normal_origins


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://www.example.com", "https://www.example.com"),
        ("HTTPS://WWW.Example.COM/", "https://www.example.com"),
        ("https://a.example:443", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://例え。jp", "https://xn--r8jz45g.jp"),
        ("https://my_shop.example", "https://my_shop.example"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://[2001:DB8:0::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_origin_is_kept_as_a_browser_sends_it(text: str, origin: str) -> None:
    assert normal_origin(text) == comparable_origin(text) == origin
    assert normal_origin(origin) == origin


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("*", "name each site"),
        ("null", "name each site"),
        ("", "https://"),
        ("www.example.com", "https://"),
        ("//www.example.com", "https://"),
        ("https:www.example.com", "https://"),
        ("ftp://www.example.com", "https://"),
        ("https://", "no host"),
        ("https://:8443", "no host"),
        ("https://a..example", "no host"),
        ("https://-a.example", "no host"),
        ("https://a%2eb.example", "no host"),
        ("https://[fe80::1%25eth0]", "no host"),
        ("https://💩.example", "no host"),
        ("https://[::1", "no origin"),
        ("https://[::1::2]", "no origin|no IP address"),
        ("https://*.example.com", "name each host"),
        ("https://127.1", "no IP address"),
        ("https://0x7f.1", "no IP address"),
        ("https://www.example.com/shop", "no path: write https://www.example.com "),
        ("https://www.example.com?a=b", "no path"),
        ("https://www.example.com#top", "no path"),
        ("https://ada@www.example.com", "no user name"),
        ("https://www.example.com:0", "port"),
        ("https://www.example.com:65536", "port"),
        ("https://www.example.com:http", "port"),
        ("https://a.example https://b.example", "blanks"),
        ("https://a.example\n", "blanks"),
        ("https://a.example\\b", "blanks"),
        ("https://" + "a" * 260, "255 characters"),
        ("https://" + ".".join(["a" * 60] * 4), "no host"),
    ],
)
def test_what_no_browser_sends_is_refused_with_a_hint(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        normal_origin(text)
    assert comparable_origin(text) == text


def test_a_name_that_is_longer_in_ascii_is_measured_there() -> None:
    with pytest.raises(ValueError, match="no host"):
        normal_origin("https://" + ".".join(["ü" * 30] * 7))


def test_a_key_has_each_origin_once_and_not_too_many() -> None:
    origins = [f"https://{number}.example" for number in range(MAX_ORIGINS)]

    assert normal_origins([*origins, origins[0]]) == tuple(origins)
    with pytest.raises(ValueError, match="50 origins at most"):
        normal_origins([*origins, "https://more.example"])
