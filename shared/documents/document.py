"""A document: YAML read into a model, with the line and column of each fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.documents.limits import LENIENT
from shared.documents.stand_ins import causes, validate_with_stand_ins
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


@dataclass(frozen=True, slots=True)
class Reading(Generic[M]):
    """A file read into a model as far as that is possible."""

    value: M | None
    """The value, with stand-ins for the parts in `unread`; None where too little of the file can be read."""
    faults: tuple[Fault, ...]
    unread: Unread


@dataclass(frozen=True, slots=True)
class Unread:
    """The paths of the parts of a file that have a fault already, so that they say nothing to other checks."""

    paths: frozenset[Path] = frozenset()

    def overlaps(self, path: Path) -> bool:
        """Whether the value at the path is unread, in whole or in part."""
        return any(path[: len(it)] == it or it[: len(path)] == path for it in self.paths)

    def covers(self, path: Path) -> bool:
        """Whether the value at the path is unread as a whole."""
        return any(path[: len(it)] == it for it in self.paths)


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
        """The value as one of the model; InvalidDocument with every fault."""
        reading = self.read_as(model)
        if reading.value is None or reading.faults:
            raise InvalidDocument(self.name, reading.faults)
        return reading.value

    def read_as(self, model: type[M]) -> Reading[M]:
        """The value as one of the model, with every fault of its YAML and of its fields."""
        faults = [Fault(*position, "", message) for position, message in self.tree.faults]
        try:
            context = LENIENT if self.tree.lenient else None
            value = model.model_validate(self.tree.value, context=context)
            if not faults:
                return Reading(value, (), Unread())
        except ValidationError as invalid:
            faults += self._shape_faults(model, causes(invalid))
        part, unread = validate_with_stand_ins(model, self.tree.value, self.tree.unread)
        return Reading(part, tuple(faults), Unread(unread))

    def _shape_faults(
        self, model: type[BaseModel], errors: Sequence[ErrorDetails]
    ) -> Iterator[Fault]:
        """The errors in words; the alternatives that a value does not match have one fault together."""
        hidden = Unread(frozenset(self.tree.unread))
        for path, error in _by_value(errors, self.tree).items():
            is_key = error["type"] == "extra_forbidden" or error["loc"][-1:] == ("[key]",)
            if is_key or not hidden.covers(path):
                yield self.fault(path, wording(error, model), key=is_key)

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


def _by_value(errors: Sequence[ErrorDetails], tree: Tree) -> dict[Path, ErrorDetails]:
    """The first error of each value, by the value's path: the names of alternatives are taken off the end."""
    first: dict[Path, ErrorDetails] = {}
    for error in errors:
        path = error["loc"]
        while error["type"] != "missing" and path not in tree.nodes:
            path = path[:-1]
        first.setdefault(path, error)
    return first


def _dotted(path: Path) -> str:
    return "".join(f"[{it}]" if isinstance(it, int) else f".{it}" for it in path).removeprefix(".")
