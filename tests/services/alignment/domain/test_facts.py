"""Names as facts keep them."""

from __future__ import annotations

from services.alignment.domain.facts import MAX_NAME, first_of, shortened


def test_names_are_bounded_and_never_empty() -> None:
    assert shortened("") is None
    assert shortened("x" * 300) == "x" * MAX_NAME
    assert first_of(()) is None
    assert first_of(("website", "crm")) == "crm"
