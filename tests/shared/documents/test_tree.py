"""Every character of a value has a line and a column, however the value is quoted or folded."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.documents.tree import InvalidYaml, Tree, position_inside

TEXT = st.text(st.sampled_from("ab\"'\\:#{} \nü→\t\x85"), min_size=1, max_size=40)
STYLES = st.sampled_from([None, "'", '"', "|", ">"])


@given(text=TEXT, style=STYLES, width=st.integers(4, 30), indent=st.integers(2, 6))
def test_every_character_has_a_position(
    text: str, style: str | None, width: int, indent: int
) -> None:
    source = yaml.safe_dump(
        {"a": {"b": text}}, default_style=style, width=width, indent=indent, allow_unicode=True
    )
    tree = Tree.of(source)
    path = next(path for path in tree.nodes if len(path) == 2)
    lines = source.split("\n")
    for offset, character in enumerate(str(tree.value["a"]["b"])):
        if not character.isspace():
            line, column = position_inside(tree.nodes[path], source, offset)
            rest = lines[line - 1][column - 1 :]
            assert rest.startswith((character, "\\x", "\\u", f"\\{character}"))


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("on", "on"),
        ("NO", "NO"),
        ("22:30", "22:30"),
        ("2026-12-24", "2026-12-24"),
        ("007", 7),
        ("1_000", "1_000"),
        ("-2.5", -2.5),
        ("1e3", 1000.0),
        ("true", True),
        ("True", "True"),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ('"true"', "true"),
        ("|-\n  5", "5"),
        ("99999999999999999999", 1e20),
    ],
)
def test_scalars_are_read_as_in_yaml_1_2(raw: str, value: object) -> None:
    read = Tree.of(f"a: {raw}\n").value["a"]
    assert (read, type(read)) == (value, type(value))


def test_escapes_are_one_character_each() -> None:
    source = 'a: "\\u00fc\\x41\\U0001F600\\t\\\\ \\\n  b"\n'
    tree = Tree.of(source)
    assert tree.value == {"a": "üA😀\t\\ b"}
    positions = [position_inside(tree.nodes["a",], source, offset) for offset in (0, 1, 2, 4, 6, 7)]
    assert positions == [(1, 5), (1, 11), (1, 15), (1, 27), (2, 3), (2, 4)]


@pytest.mark.parametrize(
    ("source", "position", "message"),
    [
        ('a: "b\\0"', (1, 6), "the character '\\x00' cannot be stored; delete it"),
        ('a:\n  "\\ud800": b', (2, 4), "the character '\\ud800' cannot be stored; delete it"),
        ('a: "\\U00110000"', (1, 7), "an escape that stands for no character; write another"),
        ('a: "\\UFFFFFFFF"', (1, 7), "an escape that stands for no character; write another"),
        ("[" * 1000 + "]" * 1000, (1, 1), "nested too deeply; flatten it"),
        ("{a: " * 1000 + "}" * 1000, (1, 1), "nested too deeply; flatten it"),
        ("a: &b [x]\nc: *b", (2, 4), "aliases (`*name`) are not read here; write the value out"),
        ("a: " + "b" * 1_000_000, (1, 1), "longer than 1000000 characters; shorten it"),
    ],
    ids=["nul", "surrogate key", "no character", "far off", "lists", "mappings", "alias", "long"],
)
def test_what_cannot_be_stored_is_refused(
    source: str, position: tuple[int, int], message: str
) -> None:
    assert faults_of(source) == [(position, message)]


def faults_of(source: str) -> list[tuple[tuple[int, int], str]]:
    try:
        return [(it.position, it.message) for it in Tree.of(source).faults]
    except InvalidYaml as wrong:
        return [(wrong.position, wrong.message)]


def test_a_lenient_reading_replaces_what_cannot_be_stored() -> None:
    assert Tree.of('{"a\\0": "\\ud800"}', lenient=True).value == {"a\ufffd": "\ufffd"}
