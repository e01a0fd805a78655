"""Tests of log lines: one JSON object each, errors with their traceback."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from pydantic import TypeAdapter

from shared.errors import Rejected, loggable
from shared.process import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    hooks = sys.excepthook, threading.excepthook
    yield
    root.handlers, root.level = handlers, level
    sys.excepthook, threading.excepthook = hooks


def test_a_line_is_an_object_with_the_facts(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    logs.configure("WARNING", service="scoring")
    log = logs.get("services.scoring.main")
    log.info("not told")
    try:
        float(1) / 0
    except ZeroDivisionError:
        log.exception("went wrong", lead=object)
    logging.getLogger("kafka.client").info("chatter")
    logging.getLogger("sqlalchemy").warning("pool %s", "full")

    own, library = map(json.loads, capfdbinary.readouterr().out.splitlines())
    assert (own["event"], own["level"], own["service"]) == ("went wrong", "error", "scoring")
    assert own["module"] == "services.scoring.main"
    assert own["exception"].endswith("ZeroDivisionError")
    assert "test_logs.py" in own["exception"]
    assert (library["event"], library["module"]) == ("pool full", "sqlalchemy")


def test_a_command_keeps_stdout_for_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    logs.warn_on_stderr()
    log = logs.get("shared.agreement.store")
    log.info("agreement in force", version=2)
    log.warning("something is wrong")

    output = capsys.readouterr()
    assert output.out == ""
    assert "something is wrong" in output.err
    assert "in force" not in output.err


PERSON = "ada@acme.example"


def _cast() -> None:
    int(PERSON)


def _looked_up() -> None:
    dict[str, str]()[PERSON]


def _validated() -> None:
    TypeAdapter(int).validate_python(PERSON)


def _caused() -> None:
    try:
        int(PERSON)
    except ValueError as wrong:
        raise psycopg.errors.UniqueViolation(f"Key (email)=({PERSON}) already exists") from wrong


def _several() -> None:
    raise ExceptionGroup(PERSON, [KeyError(PERSON), OSError(2, "No such file", PERSON)])


@pytest.mark.parametrize(
    ("fails", "classes"),
    [
        (_cast, ["ValueError"]),
        (_looked_up, ["KeyError"]),
        (_validated, ["ValidationError"]),
        (_caused, ["ValueError", "UniqueViolation 23505"]),
        (_several, ["ExceptionGroup", "KeyError", "FileNotFoundError: 2 No such file"]),
    ],
)
def test_an_error_is_logged_by_class_and_line_without_the_text(
    capfdbinary: pytest.CaptureFixture[bytes], fails: Callable[[], None], classes: list[str]
) -> None:
    logs.configure("INFO", service="scoring")
    with pytest.raises((ValueError, KeyError, psycopg.Error, ExceptionGroup)) as raised:
        fails()
    error = raised.value
    logs.get("ours").error("went wrong", exc_info=error)
    logging.getLogger("asyncio").error("never retrieved\n%r", error, exc_info=error)
    sys.excepthook(type(error), error, error.__traceback__)
    threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))

    out = capfdbinary.readouterr()
    lines = [json.loads(line) for line in out.out.splitlines()]
    assert [it["event"] for it in lines] == [
        "went wrong",
        "never retrieved",
        "ended by an error",
        "ended by an error",
    ]
    for line in lines:
        assert all(it in line["exception"] for it in classes)
        assert f"in {fails.__name__}" in line["exception"]
    assert PERSON.encode() not in out.out + out.err


def test_our_own_words_and_words_about_code_are_logged() -> None:
    assert loggable(Rejected("send less")) == "Rejected: send less"
    with pytest.raises(AttributeError) as raised:
        object().__getattribute__("nothing")
    assert "no attribute 'nothing'" in loggable(raised.value)
    assert loggable(OSError("x")) == "OSError"
