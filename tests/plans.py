"""The plans of statements: which indexes they use, and how many rows they read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from shared.db.session import Sessions


def settle(sessions: Sessions, tables: str) -> None:
    """Vacuum and analyze the tables, as PostgreSQL does in the background."""
    with sessions() as session:
        engine = session.get_bind()
        assert isinstance(engine, Engine)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"vacuum (analyze) {tables}"))


def scans(session: Session, call: Callable[[], object]) -> list[dict[str, Any]]:
    """The nodes that read tables in the plans of all statements of the call."""
    engine = session.get_bind()
    statements: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if not statement.startswith("set "):
            statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    nodes: list[dict[str, Any]] = []
    for statement, parameters in statements:
        explained = session.connection().exec_driver_sql(
            f"explain (analyze, buffers, format json) {statement}", parameters
        )
        nodes += scan_nodes(orjson.loads(orjson.dumps(explained.scalar_one()))[0]["Plan"])
    return nodes


def scan_nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that read tables or indexes."""
    if "Relation Name" in plan or "Index Name" in plan:
        yield plan
    for child in plan.get("Plans", ()):
        yield from scan_nodes(child)


def rows_read(node: dict[str, Any]) -> float:
    """How many rows the node has read, those too that a filter removed."""
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float(node["Actual Rows"] + removed) * float(node["Actual Loops"])
