"""A document: YAML whose faults are told where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.documents.limits import KEPT
from shared.documents.tree import Misread, Path, Place, Tree, place_inside, place_of
from shared.documents.wording import printable, wording
from shared.errors import Rejected

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong, where (counted from 1), and how to mend it."""

    line: int
    column: int
    path: str
    message: str


class InvalidDocument(Rejected):
    """A file with faults; its message has a line for each: `file:line:column: what; how to mend it`."""

    code: ClassVar[str] = "invalid_document"

    def __init__(self, name: str, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__(
            "\n".join(
                f"{name}:{it.line}:{it.column}: {printable(it.message)}" for it in self.faults
            )
        )


def read(model: type[M], source: str, *, name: str) -> M:
    """The file as a value of the model, or InvalidDocument."""
    return Document.of(source, name=name).into(model)


def text_of(content: bytes, *, name: str) -> str:
    """A file's text, or InvalidDocument where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        before = content[: wrong.start]
        line, column = before.count(b"\n") + 1, wrong.start - before.rfind(b"\n")
        message = "a byte that is not UTF-8; save the file as UTF-8"
        raise InvalidDocument(name, [Fault(line, column, "", message)]) from None


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was YAML, and knows where its parts stand."""

    name: str
    source: str
    tree: Tree

    @classmethod
    def of(cls, source: str, *, name: str, kept: bool = False) -> Document:
        """Read the YAML, or raise InvalidDocument; `kept` is for a file that was accepted once."""
        source = source.removeprefix("\ufeff")
        try:
            return cls(name, source, Tree.of(source, kept=kept))
        except Misread as wrong:
            raise InvalidDocument(name, [Fault(*wrong.place, "", wrong.message)]) from None

    def into(self, model: type[M]) -> M:
        """As a value of the model, or InvalidDocument with every fault at once."""
        try:
            return model.model_validate(self.tree.value, context=KEPT if self.tree.kept else None)
        except ValidationError as invalid:
            errors = [it for it in invalid.errors() if not _follows(it)]
            faults = [(error, wording(error, model)) for error in errors]
            raise InvalidDocument(
                self.name,
                [
                    self.fault(
                        error["loc"],
                        message,
                        key=error["type"] == "extra_forbidden" or error["loc"][-1:] == ("[key]",),
                    )
                    for error, message in faults
                ],
            ) from None

    def fault(
        self, path: Path, message: str, *, key: bool = False, offset: int | None = None
    ) -> Fault:
        """A fault at the value, at its key, or at a character inside its text."""
        known = path
        while known not in self.tree.nodes:
            known = known[:-1]
        return Fault(*self._place(known, key=key, offset=offset), _told(path), message)

    def _place(self, path: Path, *, key: bool, offset: int | None) -> Place:
        node = self.tree.nodes[path]
        if key and path in self.tree.keys:
            return place_of(self.tree.keys[path].start_mark)
        return (
            place_of(node.start_mark) if offset is None else place_inside(node, self.source, offset)
        )


def _follows(error: ErrorDetails) -> bool:
    """Whether a list is too short only because what is in it was refused, each for a reason of its own."""
    shortest = error.get("ctx", {}).get("min_length", 0)
    return error["type"] == "too_short" and len(error["input"]) >= shortest


def _told(path: Path) -> str:
    return "".join(f"[{it}]" if isinstance(it, int) else f".{it}" for it in path).removeprefix(".")
