"""YAML as a value, with the line and column of each of its parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

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
_TEXT_TAG = "tag:yaml.org,2002:str"
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}


class InvalidYaml(Exception):
    """A file that is not YAML: where its syntax ends, nothing behind it can be read."""

    def __init__(self, position: Position, message: str) -> None:
        super().__init__(message)
        self.position = position
        self.message = message


class YamlFault(NamedTuple):
    """A use of YAML that is not supported; the rest of the file can be read."""

    position: Position
    message: str


@dataclass(frozen=True, slots=True)
class Tree:
    """A value with the nodes of YAML that it was read from."""

    value: Any = None
    nodes: dict[Path, yaml.Node] = field(default_factory=dict)
    keys: dict[Path, yaml.Node] = field(default_factory=dict)
    lenient: bool = False
    """Whether an older version accepted the file, perhaps before fields had the bounds of today."""
    faults: list[YamlFault] = field(default_factory=list)
    unread: set[Path] = field(default_factory=set)
    """The paths of values that a fault hides."""

    @classmethod
    def of(cls, source: str, *, lenient: bool = False) -> Tree:
        """The tree of a source; raises InvalidYaml. Scalars are read as in YAML 1.2: `on` and `NO` are text."""
        if len(source) > MAX_CHARACTERS:
            raise InvalidYaml((1, 1), f"longer than {MAX_CHARACTERS} characters; shorten it")
        root, faults_by_node = _compose(source, lenient=lenient)
        reader = _Reader(faults_by_node)
        return replace(reader.tree, value=reader.value(root, ()), lenient=lenient)


_FaultsByNode = dict[yaml.Node, YamlFault]


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's name; nothing is resolved

    def __init__(self, source: str, *, lenient: bool) -> None:
        super().__init__(source)
        self.faults_by_node: _FaultsByNode = {}
        self._lenient = lenient

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if not self.check_event(yaml.AliasEvent):
            return super().compose_node(parent, index)
        alias = self.get_event()
        node = yaml.ScalarNode(_TEXT_TAG, "", alias.start_mark, alias.end_mark)
        self.faults_by_node[node] = YamlFault(
            position_of(alias.start_mark),
            "aliases (`*name`) are not read here; write the value out",
        )
        return node

    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        text = str(node.value)
        at = unstorable_at(text)
        if at is not None:
            if not self._lenient:
                self.faults_by_node[node] = YamlFault(
                    position_inside(node, str(self.buffer), at),
                    f"the character {text[at]!a} cannot be stored; delete it",
                )
            node.value = storable(text)
        return node


def _compose(source: str, *, lenient: bool) -> tuple[yaml.Node, _FaultsByNode]:
    loader: _Loader | None = None
    try:
        loader = _Loader(source, lenient=lenient)
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
    return root, loader.faults_by_node


def _mend(problem: str) -> str:
    if "'\\t'" in problem:
        return "indent with spaces, not tabs"
    if "mapping values are not allowed" in problem:
        return "put text that contains `: ` in quotes, or check the indentation"
    return "check the indentation, the quotes and the brackets here and on the line before"


class _Reader:
    """Turns nodes into values; unsupported uses of YAML become faults of the tree, and the rest is read."""

    def __init__(self, faults_by_node: _FaultsByNode) -> None:
        self.tree = Tree()
        self._faults_by_node = faults_by_node

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.tree.nodes[path] = node
        if fault := self._faults_by_node.get(node):
            self._hide(path, fault)
        elif node.tag not in _PLAIN_TAGS:
            message = f"tags (`{node.tag}`) are not read here; delete it"
            self._hide(path, YamlFault(position_of(node.start_mark), message))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(it, (*path, at)) for at, it in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return {
                name: self.value(it, (*path, name))
                for key, it in node.value
                if (name := self._key(key, path)) is not None
            }
        return _scalar(node)

    def _hide(self, path: Path, fault: YamlFault) -> None:
        self.tree.faults.append(fault)
        self.tree.unread.add(path)

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        """The text of a key; None, with a fault, for one whose value must be left out."""
        position = position_of(node.start_mark)
        if not isinstance(node, yaml.ScalarNode):
            self.tree.faults.append(YamlFault(position, "a key must be text; put it in quotes"))
            return None
        key_path = (*path, node.value)
        if fault := self._faults_by_node.get(node):
            self._hide(key_path, fault)
            return None
        if key_path in self.tree.keys:
            first = position_of(self.tree.keys[key_path].start_mark)[0]
            message = f"`{node.value}` is here already, on line {first}; keep one of them"
            self.tree.faults.append(YamlFault(position, message))
            return None
        self.tree.keys[key_path] = node
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
