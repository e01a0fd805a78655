"""Settings are bounded: what cannot be is refused by the variable's name, before anything starts."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.settings import Settings

TOO_LONG = "x" * 2_001


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", 0),
        ("port", 65_536),
        ("probe_port", -1),
        ("kafka_partitions", 0),
        ("kafka_partitions", 1_001),
        ("kafka_session_timeout_ms", 10**9),
        ("max_request_bytes", 10**12),
        ("max_event_bytes", 10**9),
        ("max_events", 0),
        ("ingest_rate", 10**30),
        ("ingest_burst", -1),
        ("log_level", "LOUD"),
        ("database_url", TOO_LONG),
        ("kafka_bootstrap", TOO_LONG),
        ("public_url", TOO_LONG),
        ("host", TOO_LONG),
        ("worker_name", TOO_LONG),
        ("secret_key", TOO_LONG),
        ("allow_networks", ",".join(["10.0.0.0/8"] * 1_001)),
    ],
)
def test_what_is_beyond_its_bound_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({name: value})

    assert [it["loc"] for it in caught.value.errors()] == [(name,)]


def test_a_level_may_be_written_small() -> None:
    assert Settings(log_level="debug").log_level == "debug"
