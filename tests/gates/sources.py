"""The source files of the product and its tests, read and parsed once, and what rules ask of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PRODUCT = ("services", "shared", "migrations")
EVERYTHING = (*PRODUCT, "tests", "benchmarks")


@dataclass(frozen=True)
class Source:
    """A file of ours, read and parsed."""

    path: str
    text: str
    tree: ast.Module

    def calls(self) -> Iterator[tuple[int, str]]:
        """Every call in it: the line, and what is called, as written."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node.lineno, ast.unparse(node.func)

    def within(self, patterns: tuple[str, ...]) -> bool:
        return any(fnmatch(self.path, pattern) for pattern in patterns)


def _read(path: Path) -> Source:
    text = path.read_text()
    return Source(str(path.relative_to(ROOT)), text, ast.parse(text))


@cache
def sources() -> Sequence[Source]:
    """Every file of ours; read by the worker that tests them, not by each that collects tests."""
    return [_read(path) for folder in EVERYTHING for path in sorted((ROOT / folder).rglob("*.py"))]


def ours() -> Iterator[Source]:
    """Every file of the product."""
    return (it for it in sources() if it.path.startswith(PRODUCT))


def callers(pattern: str, allowed: tuple[str, ...]) -> list[str]:
    """Where something is called by those who may not."""
    expression = re.compile(pattern)
    return [
        f"{source.path}:{line}: {name}"
        for source in ours()
        if not source.within(allowed)
        for line, name in source.calls()
        if expression.fullmatch(name)
    ]


def faults(rule: Callable[[Source], Iterator[str]], *, but: tuple[str, ...] = ()) -> list[str]:
    """What the rule finds, in all files together."""
    return [fault for it in sources() if not it.within(but) for fault in rule(it)]
