"""Tests of traces: they continue from hop to hop, and spans are made only with an exporter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from shared.process.tracing import SpanKind, child_of, start_span, trace_id
from tests.processes import BARE_ENVIRONMENT

TRACE, SPAN = "a" * 32, "b" * 16
PARENT = f"00-{TRACE}-{SPAN}-01"


def test_the_trace_goes_on_in_a_new_span() -> None:
    version, trace, span, flags = child_of(f"00-{TRACE}-{SPAN}-00", "step").split("-")
    assert (version, trace, flags) == ("00", TRACE, "00")
    assert span != SPAN


@pytest.mark.parametrize(
    "broken",
    [None, "", "text", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"ff-{TRACE}-{SPAN}-01",
     f"00-{TRACE.upper()}-{SPAN}-01"],
)  # fmt: skip
def test_without_one_a_trace_begins(broken: str | None) -> None:
    begun = child_of(broken, "step")
    assert TRACE not in begun
    assert len(trace_id(begun) or "") == 32
    assert child_of(broken, "step") != begun


def test_later_versions_are_read_as_far_as_we_know_them() -> None:
    assert trace_id(f"cc-{TRACE}-{SPAN}-01-more") == TRACE
    assert trace_id("text") is None
    assert trace_id(None) is None


def test_a_hop_is_the_parent_of_what_happens_in_it() -> None:
    with start_span("request", PARENT, kind=SpanKind.SERVER) as span:
        span.note({"http.route": "/v1/events"}, name="POST /v1/events")
        span.fail("answered 500")
        assert trace_id(span.traceparent) == TRACE
        assert SPAN not in span.traceparent


EXPORTING = f"""
import sys
from shared.process import tracing
tracing.export("relay")
print(tracing.child_of({PARENT!r}, "step", facts={{"leadbaton.lead": "1"}}), file=sys.stderr)
with tracing.start_span("request", {PARENT!r}, kind=tracing.SpanKind.SERVER) as here:
    here.note({{"http.route": "/v1/events"}}, name="POST /v1/events")
    here.fail("answered 500")
"""


def exporting(**environment: str) -> tuple[str, str]:
    """The spans that a separate process exports to the console, and the traceparent that it made."""
    done = subprocess.run(
        [sys.executable, "-c", EXPORTING],
        env={**BARE_ENVIRONMENT, "PYTHONPATH": ":".join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, done.stderr.splitlines()[-1]


def test_spans_go_where_the_standard_variables_say() -> None:
    output, traceparent = exporting(OTEL_TRACES_EXPORTER="console")

    step, request = spans(output)
    assert (step["name"], request["name"]) == ("step", "POST /v1/events")
    assert step["context"]["trace_id"] == f"0x{TRACE}"
    assert step["parent_id"] == f"0x{SPAN}"
    assert step["context"]["span_id"] == f"0x{traceparent.split('-')[2]}"
    assert step["attributes"] == {"leadbaton.lead": "1"}
    assert step["resource"]["attributes"]["service.name"] == "leadbaton-relay"
    assert request["attributes"] == {"http.route": "/v1/events"}
    assert request["status"]["status_code"] == "ERROR"


def test_the_name_that_an_operator_gave_stays() -> None:
    output, _ = exporting(OTEL_TRACES_EXPORTER="console", OTEL_SERVICE_NAME="ours")

    assert {it["resource"]["attributes"]["service.name"] for it in spans(output)} == {"ours"}


@pytest.mark.parametrize(
    "environment",
    [{}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"}],
    ids=["nothing", "none", "disabled"],
)  # fmt: skip
def test_nothing_is_exported_unless_asked_for(environment: Mapping[str, str]) -> None:
    output, traceparent = exporting(**environment)

    assert output == ""
    assert trace_id(traceparent) == TRACE


@pytest.mark.parametrize(
    "environment",
    [{"OTEL_TRACES_EXPORTER": "smoke"}, {"OTEL_TRACES_EXPORTER": "smoke, otlp_of_nobody"}],
    ids=["one", "two"],
)
def test_an_exporter_that_is_not_installed_stops_nothing(environment: Mapping[str, str]) -> None:
    output, traceparent = exporting(**environment)

    assert "the exporter of traces is not installed" in output
    assert trace_id(traceparent) == TRACE


def spans(output: str) -> list[dict[str, Any]]:
    """The JSON documents that the console exporter wrote."""
    return [orjson.loads(it + "}") for it in output.split("\n}\n") if it.strip()]
