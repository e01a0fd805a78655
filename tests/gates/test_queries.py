"""What queries hand out, who writes a table, and where fields are read by their position."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from tests.gates.sources import Source, callers, faults, ours

QUERIES = ("services/*/queries/*", "services/*/queries.py", "shared/*/queries.py")
LOADING = (*QUERIES, "services/*/handlers/*", "services/*/handlers.py", "services/*/api/*")

SAVEPOINT_EDGES = (
    "services/*/delivery/*",
    "shared/db/*",
    "shared/messaging/batch.py",
)
"""Where a part of a transaction may be taken back."""

WRITTEN_TOGETHER = {
    # a claim moves only the lease of a delivery, and a fallback only the time of its own
    "routing.deliveries": {
        "services/routing/queries/claims.py",
        "services/routing/queries/deliveries.py",
        "services/routing/queries/fallbacks.py",
    },
}
"""The tables that two files write, each of them other columns."""

_ROWS = re.compile(r"\b(Row|RowMapping|MappingResult|ScalarResult|CursorResult|Result)\b")
_WRITERS = {"insert", "update", "delete", "copy_rows", "copying_rows"}
_SQL = re.compile(r"(?:insert into|update|delete from)\s+((?:routing|scoring|sla|messaging)\.\w+)")


def rows_out(source: Source) -> Iterator[str]:
    """Public functions of queries that hand out rows of SQLAlchemy."""
    if not source.within(QUERIES):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.returns:
            annotation = ast.unparse(node.returns)
            if _ROWS.search(annotation):
                yield f"{source.path}:{node.lineno}: {node.name} returns {annotation}"


def bare_columns(source: Source) -> Iterator[str]:
    """Columns without a table's name: in a subquery they would be those of its tables that have the same name."""
    for line, name in source.calls():
        if name.endswith(".column_valued"):
            yield f"{source.path}:{line}: {name}; call table_valued and render_derived"


def positions(source: Source) -> Iterator[str]:
    """Fields that are read by their position: `row[4]`, `row[:7]`."""
    if not source.within(LOADING):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name | ast.Attribute):
            index = node.slice
            bounds = [index.lower, index.upper] if isinstance(index, ast.Slice) else [index]
            if any(isinstance(it, ast.Constant) and isinstance(it.value, int) for it in bounds):
                yield f"{source.path}:{node.lineno}: {ast.unparse(node)}"


def tables_written(source: Source) -> Iterator[str]:
    """The tables that a file writes, as `schema.table`; the schema of SQLAlchemy's tables is the service's."""
    schema = source.path.split("/")[1].replace("sla_monitor", "sla")
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[*arguments]) if name in _WRITERS:
                index = 1 if name.startswith("cop") else 0
                table = arguments[index] if len(arguments) > index else None
                if isinstance(table, ast.Name) and table.id != "table":
                    yield f"{schema}.{table.id}"
            case ast.Constant(value=str(text)):
                yield from _SQL.findall(text)


def writers() -> dict[str, set[str]]:
    """The files of queries that write each table."""
    files = defaultdict[str, set[str]](set)
    for source in ours():
        if source.within(QUERIES):
            for table in tables_written(source):
                files[table].add(source.path)
    return files


def test_queries_hand_out_no_rows() -> None:
    assert faults(rows_out) == []


def test_fields_are_read_by_name() -> None:
    assert faults(positions) == []


def test_each_table_has_one_writer() -> None:
    files = writers()
    assert len(files) > 20
    several = {table: paths for table, paths in files.items() if len(paths) > 1}
    assert several == WRITTEN_TOGETHER


def test_no_column_is_without_its_table() -> None:
    assert faults(bare_columns) == []


def test_savepoints_belong_to_the_edge() -> None:
    assert callers(r".*\.(begin_nested|rollback)", SAVEPOINT_EDGES) == []
    assert callers(r".*\.(begin_nested|rollback)", ())


def test_the_rules_find_what_they_forbid() -> None:
    text = (
        "def rows_of(session) -> list[Row[Any]]:\n"
        "    first = rows[0]\n"
        "    rest = rows[:7]\n"
        "    ids = func.unnest(lead_ids).column_valued('lead_id')\n"
        "    session.execute(insert(leads))\n"
        "    session.execute(text('update scoring.stages set a = 1'))\n"
    )
    bad = Source("services/scoring/queries/bad.py", text, ast.parse(text))

    assert len(list(rows_out(bad))) == 1
    assert len(list(positions(bad))) == 2
    assert len(list(bare_columns(bad))) == 1
    assert set(tables_written(bad)) == {"scoring.leads", "scoring.stages"}
