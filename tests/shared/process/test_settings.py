"""Tests of the bounds of settings: an invalid value is refused by name, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import make_url

from shared.process.settings import Settings

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
def test_what_is_beyond_a_bound_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({name: value})

    assert [it["loc"] for it in caught.value.errors()] == [(name,)]


def test_a_level_may_be_written_small() -> None:
    assert Settings(log_level="debug").log_level == "debug"


def test_secrets_come_from_files(tmp_path: Path) -> None:
    password, key = tmp_path / "password", tmp_path / "key"
    password.write_text("p@ss/word:\n")
    key.write_text("a-key")

    settings = Settings(
        database_url="postgresql://ada@db:5432/leadbaton",
        database_password_file=password,
        secret_key_file=key,
    )

    assert make_url(settings.database_url).password == "p@ss/word:"
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == "a-key"
    assert "p@ss" not in repr(settings.secret_key)


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe", b"x" * 4_001])
@pytest.mark.parametrize("field", ["database_password_file", "secret_key_file"])
def test_a_file_without_a_secret_is_named(
    tmp_path: Path, content: bytes | None, field: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ValidationError, match=str(file)) as refusal:
        Settings.model_validate({field: file})

    assert refusal.value.errors()[0]["loc"] == (field,)


@pytest.mark.parametrize("url", ["", "leadbaton", "sqlite:///x.db", "mysql://a@b/c", "http://["])
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="write postgresql://"):
        Settings(database_url=url)
