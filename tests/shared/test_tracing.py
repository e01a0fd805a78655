"""A trace goes on from hop to hop, or begins."""

from __future__ import annotations

import pytest

from shared.tracing import child_of, trace_id

TRACE, SPAN = "a" * 32, "b" * 16


def test_the_trace_goes_on_in_a_new_span() -> None:
    version, trace, span, flags = child_of(f"00-{TRACE}-{SPAN}-00").split("-")
    assert (version, trace, flags) == ("00", TRACE, "00")
    assert span != SPAN


@pytest.mark.parametrize(
    "broken",
    [None, "", "text", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"ff-{TRACE}-{SPAN}-01",
     f"00-{TRACE.upper()}-{SPAN}-01"],
)  # fmt: skip
def test_without_one_a_trace_begins(broken: str | None) -> None:
    begun = child_of(broken)
    assert TRACE not in begun
    assert len(trace_id(begun) or "") == 32
    assert child_of(broken) != begun


def test_later_versions_are_read_as_far_as_we_know_them() -> None:
    assert trace_id(f"cc-{TRACE}-{SPAN}-01-more") == TRACE
    assert trace_id("text") is None
    assert trace_id(None) is None
