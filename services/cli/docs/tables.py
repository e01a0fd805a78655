"""Tables inside the hand-written documents: settings, processes, metrics, error codes."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module

from prometheus_client import REGISTRY
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import services
import shared
from services.cli.processes import PROCESSES
from shared.errors import LeadbatonError
from shared.process.settings import Settings


def tables() -> dict[str, dict[str, str]]:
    """Each table by the document that it stands in and by its name."""
    _import_all()
    return {
        "operations.md": {
            "processes": table(("process", "command", "port", "what it does"), _processes()),
            "settings": table(("variable", "default", "meaning"), _settings()),
            "metrics": table(("metric", "kind", "meaning"), _metrics()),
        },
        "troubleshooting.md": {
            "codes": table(("code", "HTTP status", "meaning"), _codes()),
        },
    }


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )


def errors() -> list[type[LeadbatonError]]:
    """Every kind of error there is, by code."""
    _import_all()
    return sorted(_below(LeadbatonError), key=lambda it: (it.code, it.__name__))


def _below(kind: type[LeadbatonError]) -> Iterator[type[LeadbatonError]]:
    for each in kind.__subclasses__():
        if each.__module__.startswith(("services.", "shared.")):  # a test may have its own
            yield each
        yield from _below(each)


def _codes() -> Iterator[tuple[str, str, str]]:
    """One line a code: the kinds of errors that share a code share its line."""
    meanings: dict[str, tuple[int, list[str]]] = {}
    for kind in errors():
        meaning = (kind.__doc__ or "").strip().split("\n")[0]
        _, texts = meanings.setdefault(kind.code, (kind.status, []))
        texts.append(meaning)
    for code, (status, texts) in meanings.items():
        yield f"`{code}`", str(status), " ".join(dict.fromkeys(texts))


def _processes() -> Iterator[tuple[str, str, str, str]]:
    for process in PROCESSES:
        port = str(process.port) if process.port else "none"
        yield process.name, f"`leadbaton {' '.join(process.command)}`", port, process.summary


def _settings() -> Iterator[tuple[str, str, str]]:
    for name, field in Settings.model_fields.items():
        yield f"`LEADBATON_{name.upper()}`", _default(field), field.description or ""


def _default(field: FieldInfo) -> str:
    if field.default in (None, (), PydanticUndefined):
        return "none"
    default = str(field.default)
    return f"`{default.lower() if isinstance(field.default, bool) else default}`"


def _metrics() -> Iterator[tuple[str, str, str]]:
    for family in sorted(REGISTRY.collect(), key=lambda it: it.name):
        if family.name.startswith("leadbaton_"):
            suffix = "_total" if family.type == "counter" else ""
            yield f"`{family.name}{suffix}`", family.type, family.documentation


def _import_all() -> None:
    """Import every module of the product, so that their errors and metrics are registered."""
    for package in (services, shared):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
