"""A document: YAML read into a model, with the line and column of each fault."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.documents.limits import LENIENT
from shared.documents.tree import InvalidYaml, Path, Position, Tree, position_inside, position_of
from shared.documents.wording import printable, wording
from shared.errors import Rejected

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """A fault and how to mend it, with line and column counted from 1."""

    line: int
    column: int
    path: str
    message: str


class InvalidDocument(Rejected):
    """A file with faults; its message has one line a fault: `file:line:column: fault; how to mend it`."""

    code: ClassVar[str] = "invalid_document"

    def __init__(self, name: str, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__(
            "\n".join(
                f"{name}:{it.line}:{it.column}: {printable(it.message)}" for it in self.faults
            )
        )


def read(model: type[M], source: str, *, name: str) -> M:
    """The file as a value of the model; raises InvalidDocument with every fault."""
    return Document.of(source, name=name).into(model)


def text_of(content: bytes, *, name: str) -> str:
    """The text of a file; raises InvalidDocument if it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        before = content[: wrong.start]
        line, column = before.count(b"\n") + 1, wrong.start - before.rfind(b"\n")
        message = "a byte that is not UTF-8; save the file as UTF-8"
        raise InvalidDocument(name, [Fault(line, column, "", message)]) from None


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is valid YAML, with the position of each of its parts."""

    name: str
    source: str
    tree: Tree

    @classmethod
    def of(cls, source: str, *, name: str, lenient: bool = False) -> Document:
        """The file read as YAML; raises InvalidDocument. `lenient` is for a file that an older version accepted."""
        source = source.removeprefix("\ufeff")
        try:
            return cls(name, source, Tree.of(source, lenient=lenient))
        except InvalidYaml as wrong:
            raise InvalidDocument(name, [Fault(*wrong.position, "", wrong.message)]) from None

    def into(self, model: type[M]) -> M:
        """The file as a value of the model; raises InvalidDocument with every fault."""
        try:
            return model.model_validate(
                self.tree.value, context=LENIENT if self.tree.lenient else None
            )
        except ValidationError as invalid:
            errors = [it for it in invalid.errors() if not _is_consequence(it)]
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
        nearest_node = path
        while nearest_node not in self.tree.nodes:
            nearest_node = nearest_node[:-1]
        position = self._position(nearest_node, key=key, offset=offset)
        return Fault(*position, _dotted(path), message)

    def _position(self, path: Path, *, key: bool, offset: int | None) -> Position:
        if key and path in self.tree.keys:
            return position_of(self.tree.keys[path].start_mark)
        node = self.tree.nodes[path]
        if offset is None:
            return position_of(node.start_mark)
        return position_inside(node, self.source, offset)


def _is_consequence(error: ErrorDetails) -> bool:
    """Whether a list is too short only because its entries were refused, each with a fault of its own."""
    shortest = error.get("ctx", {}).get("min_length", 0)
    return error["type"] == "too_short" and len(error["input"]) >= shortest


def _dotted(path: Path) -> str:
    return "".join(f"[{it}]" if isinstance(it, int) else f".{it}" for it in path).removeprefix(".")
