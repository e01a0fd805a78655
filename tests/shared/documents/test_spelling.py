"""A name is suggested where it is spelled nearly the same, and not where it only looks a little like it."""

from __future__ import annotations

import pytest

from shared.documents.spelling import closest, edits, nearest


@pytest.mark.parametrize(
    ("name", "known", "suggestion"),
    [
        ("cuntry", "country customer", "country"),
        ("laed", "lead event", "lead"),
        ("startswith", "startsWith endsWith", "startsWith"),
        ("reject-reason", "reject_reasons loss_reasons", "reject_reasons"),
        ("path_name", "path type", "path"),
        ("sale", "sales", "sales"),
        ("targets", "traits name sla", None),
        ("cold", "hot", None),
        ("tag", "a", None),
        ("x", "", None),
    ],
)
def test_the_closest_name(name: str, known: str, suggestion: str | None) -> None:
    assert closest(name, known.split()) == suggestion


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("abc", "abc", 0), ("abc", "acb", 1), ("abc", "abcd", 1), ("abc", "xyz", 3), ("a", "abcdef", 4)],
)  # fmt: skip
def test_the_distance_counts_edits_up_to_a_limit(first: str, second: str, distance: int) -> None:
    assert edits(first, second, 3) == min(distance, 4)


def test_many_names_are_not_listed() -> None:
    assert nearest("zzz", map(str, range(500)), "there are").endswith("18, 19, …")
    assert nearest("zzz", [], "there are") == "there are: none"
