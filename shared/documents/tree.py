"""YAML as a value and as places: what the file says, and where each part of it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from shared.text import storable, unstorable_at

Path = tuple[str | int, ...]
"""The way to a value: keys of mappings and numbers in lists, as pydantic says it."""

Place = tuple[int, int]
"""Line and column, counted from 1."""

MAX_CHARACTERS = 1_000_000

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ESCAPED = re.compile(r"\\(?:x..|u.{4}|U.{8}|.)|.", re.DOTALL)
_DOUBLED = re.compile(r"''|.", re.DOTALL)
_SINGLE = re.compile(r".", re.DOTALL)
_CONSTANTS = {"": None, "~": None, "null": None, "true": True, "false": False}
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}


class Misread(Exception):
    """What cannot be read as YAML, or as the part of YAML that is used here."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


@dataclass(frozen=True, slots=True)
class Tree:
    """A value with the nodes that it came from."""

    value: Any
    nodes: dict[Path, yaml.Node] = field(default_factory=dict)
    keys: dict[Path, yaml.Node] = field(default_factory=dict)
    kept: bool = False
    """Whether the file was accepted once, perhaps before there were the bounds of today."""

    @classmethod
    def of(cls, source: str, *, kept: bool = False) -> Tree:
        """Grow it, or raise Misread. Scalars are read as in YAML 1.2: `on` and `NO` are text."""
        if len(source) > MAX_CHARACTERS:
            raise Misread((1, 1), f"longer than {MAX_CHARACTERS} characters; shorten it")
        root = _compose(source, _KeptLoader if kept else _Loader)
        nodes: dict[Path, yaml.Node] = {}
        keys: dict[Path, yaml.Node] = {}
        return cls(_value(root, (), nodes, keys), nodes, keys, kept)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's name; nothing is resolved

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            place = place_of(self.peek_event().start_mark)
            raise Misread(place, "aliases (`*name`) are not read here; write the value out")
        return super().compose_node(parent, index)

    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        at = unstorable_at(str(node.value))
        if at is not None:
            place = place_inside(node, str(self.buffer), at)
            raise Misread(place, f"the character {node.value[at]!a} cannot be stored; delete it")
        return node


class _KeptLoader(_Loader):
    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        node = yaml.SafeLoader.compose_scalar_node(self, anchor)
        node.value = storable(str(node.value))
        return node


def _compose(source: str, loading: type[_Loader]) -> yaml.Node:
    loader: _Loader | None = None
    try:
        loader = loading(source)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        place = place_of(mark) if mark else (1, 1)
        raise Misread(place, f"{wrong.problem}; {_mend(wrong.problem or '')}") from None
    except yaml.reader.ReaderError as wrong:
        before = source[: wrong.position]
        place = (before.count("\n") + 1, wrong.position - before.rfind("\n"))
        raise Misread(place, "a character that YAML does not allow; delete it") from None
    except (OverflowError, ValueError):
        place = place_of(loader.get_mark()) if loader else (1, 1)
        raise Misread(place, "an escape that stands for no character; write another") from None
    except RecursionError:
        raise Misread((1, 1), "nested too deeply; flatten it") from None
    if root is None:
        raise Misread((1, 1), "the file is empty; see examples/ for one to start from")
    return root


def _mend(problem: str) -> str:
    if "'\\t'" in problem:
        return "indent with spaces, not tabs"
    if "mapping values are not allowed" in problem:
        return "put text that contains `: ` in quotes, or check the indentation"
    return "check the indentation, the quotes and the brackets here and on the line before"


def _value(
    node: yaml.Node, path: Path, nodes: dict[Path, yaml.Node], keys: dict[Path, yaml.Node]
) -> Any:
    nodes[path] = node
    if node.tag not in _PLAIN_TAGS:
        raise Misread(
            place_of(node.start_mark), f"tags (`{node.tag}`) are not read here; delete it"
        )
    if isinstance(node, yaml.SequenceNode):
        return [_value(it, (*path, at), nodes, keys) for at, it in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return {
            _key(key, path, keys): _value(it, (*path, key.value), nodes, keys)
            for key, it in node.value
        }
    return _scalar(node)


def _key(node: yaml.Node, path: Path, keys: dict[Path, yaml.Node]) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise Misread(place_of(node.start_mark), "a key must be text; put it in quotes")
    way = (*path, node.value)
    if way in keys:
        first = place_of(keys[way].start_mark)[0]
        raise Misread(
            place_of(node.start_mark),
            f"`{node.value}` is here already, on line {first}; keep one of them",
        )
    keys[way] = node
    return str(node.value)


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if _style(node):
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _style(node: yaml.Node) -> str:
    """How a scalar is written: quoted, in a block, or (empty) plain."""
    return (node.style or "") if isinstance(node, yaml.ScalarNode) else ""


def place_of(mark: yaml.Mark) -> Place:
    """A mark of PyYAML, counted from 1."""
    return mark.line + 1, mark.column + 1


def place_inside(node: yaml.Node, source: str, offset: int) -> Place:
    """Where a scalar's character stands in the file, whichever way the scalar is quoted or folded."""
    start, end = node.start_mark.index, node.end_mark.index
    raw = source[start:end]
    ahead = raw[: _raw_offset(raw, str(node.value), _style(node), offset)]
    line, column = place_of(node.start_mark)
    lines = ahead.count("\n")
    return (line + lines, len(ahead) - ahead.rfind("\n")) if lines else (line, column + len(ahead))


def _raw_offset(raw: str, text: str, style: str, offset: int) -> int:
    """Walk the file's text and the value together, past white space, which folding changes."""
    written = _written(raw, style)
    start = end = raw.find("\n") + 1 if style in {"|", ">"} else len(style)
    for wanted in text[: offset + 1]:
        if not wanted.isspace():
            start, end = next(
                (place for place, character in written if character == wanted), (end, end)
            )
    return start if offset < len(text.rstrip()) else end


def _written(raw: str, style: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Each character of a scalar with where it is written, from the style's mark on."""
    pattern = {'"': _ESCAPED, "'": _DOUBLED}.get(style, _SINGLE)
    first = raw.find("\n") + 1 if style in {"|", ">"} else len(style)
    return ((found.span(), _meant(found[0])) for found in pattern.finditer(raw, first))


def _meant(written: str) -> str:
    number = written[2:]
    if number:
        return chr(int(number, 16))
    if written[0] == "\\" and len(written) == 2:
        return yaml.scanner.Scanner.ESCAPE_REPLACEMENTS.get(written[1], "")
    return written[0]
