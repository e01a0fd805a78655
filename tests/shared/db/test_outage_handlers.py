"""Checks the source: every handler of a database error asks whether the error is an outage."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.gates.sources import ours

DATABASE_ERRORS = {
    "OUTAGES",
    "SQLAlchemyError",
    "DBAPIError",
    "OperationalError",
    "InterfaceError",
    "Error",
    "EXPECTED_ERRORS",
}
ASKS = {"is_outage", "refused", "refusal_of", "error_response", "_error_page"}
"""Calls in a handler that ask; `error_response` and `_error_page`, which calls it, ask for it."""
NEED_NOT_ASK = {
    "shared/http/probes.py": "a process whose database answers with any error is not ready, and says which",
    "shared/process/periodic.py": "the guard inside lets nothing pass but outages",
}


def handlers() -> Iterator[tuple[str, ast.ExceptHandler]]:
    """Every handler of an error that the database may raise."""
    for source in ours():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ExceptHandler) and node.type is not None:
                if ast.unparse(node.type) == "csv.Error":
                    continue
                names = {
                    it.attr if isinstance(it, ast.Attribute) else getattr(it, "id", "")
                    for it in ast.walk(node.type)
                }
                if names & DATABASE_ERRORS:
                    yield source.path, node


def asks(handler: ast.ExceptHandler) -> bool:
    """Whether the handler asks what the error is, or ends by raising it again."""
    last = handler.body[-1]
    raises = isinstance(last, ast.Raise) and last.exc is None
    return raises or any(
        isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ASKS
        for it in handler.body
        for node in ast.walk(it)
    )


def test_nobody_takes_an_error_of_the_database_for_an_outage_unasked() -> None:
    unasked = {f"{path}:{it.lineno}" for path, it in handlers() if not asks(it)}

    assert {it.partition(":")[0] for it in unasked} == NEED_NOT_ASK.keys()
    assert len(unasked) == len(NEED_NOT_ASK)


def test_there_are_handlers() -> None:
    assert {
        "shared/messaging/relay.py",
        "shared/messaging/consumer.py",
        "services/sla_monitor/sweep.py",
    } <= {path for path, _ in handlers()}
