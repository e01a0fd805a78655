"""A wrong value in any setting: one sentence that names the variable, and never a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from services.cli import run
from services.cli.errors import OPERATOR_ERRORS, message_of
from shared.kafka import config
from shared.process.addresses import check_brokers, check_database_url, check_host, check_http_url
from shared.process.destinations import destinations
from shared.process.settings import Settings
from shared.text import unstorable_at

NOWHERE = "postgresql://leadbaton@127.0.0.1:1/leadbaton"

HOSTILE = (
    *("", " ", ",", "0", "-1", "1.5", "x", "None", "[]", "{", "nan", "1e400", "9" * 5_000),
    *("x" * 5_000, "\udcff", "é", "a b", "a\tb", "\x1b[31m", "http://[", "http://h:x", "[::1", "%00"),
    *("64:ff9b::/96", "64:ff9b::1", "2002::/16", "10.0.0.1/8", "0.0.0.0/99", "::ffff:0:0/96"),
    *("1-", "70000", "5-1", "80,,443", "host:99999", "a:b:c", "999.1.1.1", "a..b", "-a"),
    *("/", "/nowhere", "/dev/null", "/etc", "/" + "a/" * 3_000, "mysql://a@b/c", "INF", "SSL"),
    *("postgresql://u@h:x/d", "postgresql+nope://u@h/d", "postgresql+psycopg2://u@h/d"),
    *("postgresql://u@h:99999/d", "postgresql://u@h/d?nope=1", "postgresql://u@h/d%00"),
)  # fmt: skip


VARIABLES = {f"LEADBATON_{field.upper()}": field for field in Settings.model_fields}


@pytest.mark.parametrize("value", HOSTILE, ids=lambda it: ascii(it[:20]))
def test_no_value_of_any_setting_is_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    """All settings have it at once; those that take it are then used as processes use them at their start."""
    for variable in VARIABLES:
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "argv", ["leadbaton", "endpoints", "list"])

    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code in (1, 2)
    refused = refused_in(capsys.readouterr().err)
    assert refused

    if unstorable_at(value) is None:
        assert "LEADBATON_PORT" in refused
        for variable in refused:
            monkeypatch.delenv(variable)
        check_use()


def refused_in(text: str) -> set[str]:
    """The variables that the lines name, each in a line of its own."""
    start, _, lines = text.strip().partition(" ")
    assert start == "leadbaton:"
    refused = set()
    for line in lines.split("\n"):
        variable, colon, _ = line.partition(": ")
        assert colon, text
        assert variable in VARIABLES, text
        assert len(line) < 8_000
        assert variable not in refused, "one sentence for a variable"
        refused.add(variable)
    return refused


def check_use() -> None:
    """What processes make of the settings when they start."""
    try:
        settings = Settings()
        destinations(settings.allow_networks, ports=settings.ports())
        config.of(settings)
    except OPERATOR_ERRORS as wrong:
        text = message_of(wrong)
        assert text is not None
        assert "\n" not in text
        assert "LEADBATON_KAFKA" in text or " cannot be read" in text


@pytest.mark.parametrize(
    "network", ["64:ff9b::/96", "64:ff9b::a00:0/104", "2002::/16", "2001::/32", "::ffff:0:0/96"]
)
def test_a_network_that_carries_addresses_of_ipv4_is_refused_with_what_to_write(
    network: str,
) -> None:
    with pytest.raises(OPERATOR_ERRORS) as refused:
        Settings.model_validate({"allow_networks": f"10.0.0.0/8, {network}"})

    text = message_of(refused.value)
    assert text is not None
    assert text.startswith(f"LEADBATON_ALLOW_NETWORKS: {network} carries addresses of IPv4")
    assert "write the IPv4 networks" in text


@pytest.mark.parametrize("value", ["10.0.0.0/8, fd00::/8", "::1", "::/0", "0.0.0.0/0", ""])
def test_other_networks_are_allowed(value: str) -> None:
    networks = Settings.model_validate({"allow_networks": value}).allow_networks
    assert destinations(networks).allowed_networks == networks


def test_a_file_where_a_folder_is_is_named(tmp_path: Path) -> None:
    with pytest.raises(OPERATOR_ERRORS) as refused:
        Settings(secret_key_file=tmp_path)

    assert str(message_of(refused.value)).startswith(
        f"LEADBATON_SECRET_KEY_FILE: {tmp_path} cannot"
    )


def test_addresses_that_are_in_use_are_taken() -> None:
    for host in (
        "127.0.0.1",
        "::",
        "fe80::1%eth0",
        "localhost",
        "my_db.local.",
        "a-b.c",
    ):
        check_host(host)
    for brokers in ("kafka:9092", "a:1, b:2", "kafka", "[::1]:9092", "b-1.x_y.example.com:9096"):
        check_brokers(brokers)
    for url in ("http://127.0.0.1:8002", "https://leads.example.com/in/", "http://[::1]:80"):
        check_http_url(url)
    for url in (
        NOWHERE,
        "postgresql+psycopg://u:p%40%2F@db/x?sslmode=verify-full&sslrootcert=/ca.pem",
        "postgresql:///x?host=/run/postgresql",
        "postgresql://u@/x?host=a:5432&host=b:5433",
        "postgresql://u@[::1]:5432/x",
    ):
        check_database_url(url)
