"""The page of an event as conditions read it."""

from __future__ import annotations

from typing import Any

import pytest

from services.scoring.domain.page import page_path, page_url, path_of, url_of
from tests.builders import marketing_event


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/pricing", "/pricing"),
        ("/pricing/", "/pricing"),
        ("/Pricing/?plan=team#faq", "/Pricing"),
        ("https://WWW.Acme.example/pricing/?a=b", "/pricing"),
        ("https://acme.example", "/"),
        ("https://acme.example?next=https://x.example/a", "/"),
        ("/login?next=https://x.example/a", "/login"),
        ("/", "/"),
        ("?a=b", "/"),
        ("pricing", "pricing"),
    ],
)
def test_a_path_has_one_notation(address: str, path: str) -> None:
    assert page_path(address) == path


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://WWW.Acme.example/Pricing?A=B", "https://www.acme.example/Pricing?A=B"),
        ("/pricing", "/pricing"),
        ("http://[x", "http://[x"),
    ],
)
def test_the_host_of_a_url_is_in_lower_case(url: str, expected: str) -> None:
    assert page_url(url) == expected


@pytest.mark.parametrize(
    ("properties", "context", "path", "url"),
    [
        ({"path": "/a/", "url": "https://X.example/b"}, {}, "/a", "https://x.example/b"),
        ({"url": "https://x.example/b/"}, {}, "/b", "https://x.example/b/"),
        ({}, {"page": {"url": "https://x.example/c"}}, "/c", "https://x.example/c"),
        ({"path": 7}, {"page": {"path": "/d"}}, "/d", None),
        ({}, {"page": "text"}, None, None),
    ],
)
def test_the_page_comes_from_properties_before_context(
    properties: Any, context: Any, path: str | None, url: str | None
) -> None:
    event = marketing_event(properties=properties, context=context)
    assert (path_of(event), url_of(event)) == (path, url)
