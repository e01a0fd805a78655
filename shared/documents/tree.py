"""YAML as a value, with the line and column of each of its parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from shared.text import storable, unstorable_at

Path = tuple[str | int, ...]
"""The keys of mappings and indexes in lists that lead to a value, as pydantic names it."""

Position = tuple[int, int]
"""Line and column, counted from 1."""

MAX_CHARACTERS = 1_000_000

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ESCAPED = re.compile(r"\\(?:x..|u.{4}|U.{8}|.)|.", re.DOTALL)
_DOUBLED = re.compile(r"''|.", re.DOTALL)
_SINGLE = re.compile(r".", re.DOTALL)
_CONSTANTS = {"": None, "~": None, "null": None, "true": True, "false": False}
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}


class InvalidYaml(Exception):
    """A file that is not YAML, or uses a part of YAML that is not supported."""

    def __init__(self, position: Position, message: str) -> None:
        super().__init__(message)
        self.position = position
        self.message = message


@dataclass(frozen=True, slots=True)
class Tree:
    """A value with the nodes of YAML that it was read from."""

    value: Any
    nodes: dict[Path, yaml.Node] = field(default_factory=dict)
    keys: dict[Path, yaml.Node] = field(default_factory=dict)
    lenient: bool = False
    """Whether an older version accepted the file, perhaps before fields had the bounds of today."""

    @classmethod
    def of(cls, source: str, *, lenient: bool = False) -> Tree:
        """The tree of a source; raises InvalidYaml. Scalars are read as in YAML 1.2: `on` and `NO` are text."""
        if len(source) > MAX_CHARACTERS:
            raise InvalidYaml((1, 1), f"longer than {MAX_CHARACTERS} characters; shorten it")
        root = _compose(source, _LenientLoader if lenient else _Loader)
        nodes: dict[Path, yaml.Node] = {}
        keys: dict[Path, yaml.Node] = {}
        return cls(_value(root, (), nodes, keys), nodes, keys, lenient)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's name; nothing is resolved

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            position = position_of(self.peek_event().start_mark)
            raise InvalidYaml(position, "aliases (`*name`) are not read here; write the value out")
        return super().compose_node(parent, index)

    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        index = unstorable_at(str(node.value))
        if index is not None:
            position = position_inside(node, str(self.buffer), index)
            raise InvalidYaml(
                position, f"the character {node.value[index]!a} cannot be stored; delete it"
            )
        return node


class _LenientLoader(_Loader):
    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        node = yaml.SafeLoader.compose_scalar_node(self, anchor)
        node.value = storable(str(node.value))
        return node


def _compose(source: str, loader_class: type[_Loader]) -> yaml.Node:
    loader: _Loader | None = None
    try:
        loader = loader_class(source)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        position = position_of(mark) if mark else (1, 1)
        raise InvalidYaml(position, f"{wrong.problem}; {_mend(wrong.problem or '')}") from None
    except yaml.reader.ReaderError as wrong:
        before = source[: wrong.position]
        position = (before.count("\n") + 1, wrong.position - before.rfind("\n"))
        raise InvalidYaml(position, "a character that YAML does not allow; delete it") from None
    except (OverflowError, ValueError):
        position = position_of(loader.get_mark()) if loader else (1, 1)
        raise InvalidYaml(
            position, "an escape that stands for no character; write another"
        ) from None
    except RecursionError:
        raise InvalidYaml((1, 1), "nested too deeply; flatten it") from None
    if root is None:
        raise InvalidYaml((1, 1), "the file is empty; see examples/ for one to start from")
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
        raise InvalidYaml(
            position_of(node.start_mark), f"tags (`{node.tag}`) are not read here; delete it"
        )
    if isinstance(node, yaml.SequenceNode):
        return [_value(it, (*path, index), nodes, keys) for index, it in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return {
            _key(key, path, keys): _value(it, (*path, key.value), nodes, keys)
            for key, it in node.value
        }
    return _scalar(node)


def _key(node: yaml.Node, path: Path, keys: dict[Path, yaml.Node]) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise InvalidYaml(position_of(node.start_mark), "a key must be text; put it in quotes")
    key_path = (*path, node.value)
    if key_path in keys:
        first = position_of(keys[key_path].start_mark)[0]
        raise InvalidYaml(
            position_of(node.start_mark),
            f"`{node.value}` is here already, on line {first}; keep one of them",
        )
    keys[key_path] = node
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


def position_of(mark: yaml.Mark) -> Position:
    """The line and column of a mark of PyYAML, which counts from 0."""
    return mark.line + 1, mark.column + 1


def position_inside(node: yaml.Node, source: str, offset: int) -> Position:
    """The line and column of a character of a scalar, however the scalar is quoted or folded."""
    start, end = node.start_mark.index, node.end_mark.index
    raw = source[start:end]
    before = raw[: _raw_offset(raw, str(node.value), _style(node), offset)]
    line, column = position_of(node.start_mark)
    lines = before.count("\n")
    if lines:
        return line + lines, len(before) - before.rfind("\n")
    return line, column + len(before)


def _raw_offset(raw: str, text: str, style: str, offset: int) -> int:
    """The offset in the file of a character of the value; white space is skipped in both, as folding changes it."""
    characters = _characters(raw, style)
    start = end = raw.find("\n") + 1 if style in {"|", ">"} else len(style)
    for character in text[: offset + 1]:
        if not character.isspace():
            start, end = next((span for span, it in characters if it == character), (end, end))
    return start if offset < len(text.rstrip()) else end


def _characters(raw: str, style: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Each character of a scalar with its span in the raw text, from the style's mark on."""
    pattern = {'"': _ESCAPED, "'": _DOUBLED}.get(style, _SINGLE)
    first = raw.find("\n") + 1 if style in {"|", ">"} else len(style)
    return ((match.span(), _unescaped(match[0])) for match in pattern.finditer(raw, first))


def _unescaped(raw: str) -> str:
    number = raw[2:]
    if number:
        return chr(int(number, 16))
    if raw[0] == "\\" and len(raw) == 2:
        return yaml.scanner.Scanner.ESCAPE_REPLACEMENTS.get(raw[1], "")
    return raw[0]
