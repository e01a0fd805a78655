"""Only patches of kafka-python touch its private parts."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.gates.sources import Source, ours

PATCHES = ("shared/kafka/patches/*",)


def private_parts(source: Source) -> Iterator[str]:
    """Attributes with an underscore that a file which knows kafka uses and does not itself define."""
    imports = [node for node in ast.walk(source.tree) if isinstance(node, ast.ImportFrom)]
    if not any((it.module or "").startswith(("kafka", "shared.kafka.patches")) for it in imports):
        return
    private = [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
    ]
    defined = {node.attr for node in private if isinstance(node.ctx, ast.Store)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            defined.add(node.target.id)
    for node in private:
        if node.attr not in defined:
            yield f"{source.path}:{node.lineno}: {ast.unparse(node)}"


def faults(but: tuple[str, ...]) -> list[str]:
    return [fault for it in ours() if not it.within(but) for fault in private_parts(it)]


def test_only_patches_touch_private_parts_of_kafka_python() -> None:
    assert faults(but=PATCHES) == []


def test_the_rule_finds_what_it_forbids() -> None:
    assert faults(but=())
