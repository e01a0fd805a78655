"""One JSON object a line, faults with their traceback."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_a_line_is_an_object_with_its_facts(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
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
    assert "ZeroDivisionError: " in own["exception"]
    assert (library["event"], library["module"]) == ("pool full", "sqlalchemy")
