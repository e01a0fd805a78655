"""Which identifiers are banned: metaphors, participles and pronouns, so that any function can be read aloud."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.gates.sources import Source, faults

BANNED_WORDS = frozenset(
    [
        "said",
        "told",
        "found",
        "given",
        "those",
        "its",
        "theirs",
        "whom",
        "desk",
        "office",
        "crew",
        "bench",
        "seat",
        "seats",
        "courier",
        "nursery",
        "lane",
        "ear",
        "caution",
        "crowd",
        "mourner",
        "mourners",
        "hindrance",
        "standing",
        "standings",
    ]
)
"""No identifier may contain one of these words."""

BANNED_NAMES = frozenset(
    [
        "shown",
        "seen",
        "asked",
        "wanted",
        "taken",
        "tried",
        "arrived",
        "meant",
        "written",
        "judged",
        "heard",
        "place",
        "places",
        "one",
        "other",
        "both",
        "them",
        "they",
        "here",
        "there",
        "ahead",
        "quick",
        "form",
        "card",
        "round",
        "letters",
        "most",
    ]
)
"""No identifier may be one of these words and nothing else, unless its scope is one expression."""

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def _short_scopes(tree: ast.Module) -> set[int]:
    """The nodes that bind a name for one expression only: targets of comprehensions, arguments of lambdas."""
    targets = [
        generator.target for node in ast.walk(tree) for generator in getattr(node, "generators", ())
    ]
    arguments = [node.args for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    return {id(node) for root in (*targets, *arguments) for node in ast.walk(root)}


def _bindings(tree: ast.Module) -> Iterator[tuple[ast.AST, int, str]]:
    """Each node that gives something a name, with its line and the name."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node, node.lineno, node.name
            case ast.arg():
                yield node, node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node, node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node, node.lineno, node.attr
            case ast.alias(asname=str(name)):
                yield node, node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node, node.lineno, name


def banned(source: Source) -> Iterator[str]:
    """Each name that says nothing, or something else: where it is bound."""
    short = _short_scopes(source.tree)
    for node, line, name in _bindings(source.tree):
        if name.startswith("test_"):
            continue  # the name of a test is a sentence
        words = {word.lower() for word in _WORD.findall(name)}
        is_bare = name == "it" or name.strip("_").lower() in BANNED_NAMES
        if words & BANNED_WORDS or (is_bare and id(node) not in short):
            yield f"{source.path}:{line}: {name}"


def test_identifiers_are_nouns_of_the_glossary() -> None:
    assert faults(banned) == []


@pytest.mark.parametrize(
    "text",
    [
        "said = 1",
        "def told(): ...",
        "class Desk: ...",
        "def route(office): ...",
        "for it in rows: ...",
        "self.place = 1",
        "import services as bench",
        "match value:\n    case given: ...",
    ],
)
def test_a_banned_name_is_found_wherever_it_is_bound(text: str) -> None:
    assert list(banned(Source("bad.py", text, ast.parse(text))))


@pytest.mark.parametrize(
    "text", ["[it.id for it in rows]", "sort(key=lambda it: it.id)", "lead = 1"]
)
def test_a_short_name_is_free_where_its_scope_is_one_expression(text: str) -> None:
    assert list(banned(Source("good.py", text, ast.parse(text)))) == []
