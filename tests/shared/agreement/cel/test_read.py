"""The reader of CEL source agrees with CEL on where texts, comments and names begin and end."""

from __future__ import annotations

import pytest

from shared.agreement.cel.read import attributes_read, calls, chains, content, tokens


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("fit>=-4.5e-3&&x", ["fit", ">=", "-", "4.5e-3", "&&", "x"]),
        ("a // b == 'c'\n == 1u", ["a", "==", "1u"]),
        ("0x1F == .5", ["0x1F", "==", ".5"]),
        ("5.e1", ["5", ".", "e1"]),
        ('"no end', ['"', "no", "end"]),
        ("lead.`a b` # ü", ["lead", ".", "`a b`", "#", "ü"]),
        ("in inner, nullable null", ["in", "inner", ",", "nullable", "null"]),
    ],
)
def test_a_source_is_cut_into_tokens(source: str, texts: list[str]) -> None:
    assert [it.text for it in tokens(source)] == texts
    assert all(source.startswith(it.text, it.offset) for it in tokens(source))


def test_a_text_ends_at_the_quotes_that_it_began_with() -> None:
    texts = [r'r"\d"', r"br'\d'", r'"\"//"', "'''a'b'''", '"""a"b"""', "''"]
    assert [it.text for it in tokens("+".join(texts))][::2] == texts


@pytest.mark.parametrize(
    ("text", "between"), [("'a'", "a"), ('br"""a"b"""', 'a"b'), ('R"b"', "b"), ('"\\""', '\\"')]
)
def test_the_content_of_a_text_is_between_the_quotes(text: str, between: str) -> None:
    [token] = tokens(text)
    assert content(token) == between


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("event . path.size() > 1", [("event", "path")]),
        (".event.path == '/x.y'", [("event", "path")]),
        ("'x' in .lead.tags", [("lead", "tags")]),
        ("f(lead.a)[0].b || !has(lead.c)", [("lead", "a"), ("lead", "c")]),
        ("lead['a'].b", [("lead",)]),
        ("lead.`a b`.all(x, `", [("lead", "a b"), ("x",)]),
    ],
)
def test_names_are_followed_as_far_as_their_dots_go(
    source: str, expected: list[tuple[str, ...]]
) -> None:
    assert list(chains(tokens(source))) == expected


def test_calls_are_read_with_their_arguments() -> None:
    source = "lead.tags.exists(t, f([t, 1], {'a,(': x}) == size()) || (true)"
    expected = [
        ("exists", True, ["t", "f([t,1],{'a,(':x})==size()"]),
        ("f", False, ["[t,1]", "{'a,(':x}"]),
        ("size", False, [""]),
    ]
    assert [
        (
            call.name.text,
            call.is_method,
            ["".join(it.text for it in part) for part in call.arguments],
        )
        for call in calls(tokens(source))
    ] == expected


def test_a_call_that_is_not_closed_ends_with_the_source() -> None:
    [call] = calls(tokens("f(a, b"))
    assert [it.text for it in call.arguments[1]] == ["b"]
    assert call.end == len(tokens("f(a, b"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("lead.country in rep.territories", {"territories"}),
        ("rep . skills.exists(it, it == lead.x) || rep.id == 'a'", {"skills", "id"}),
        ("lead.rep == 'x' && reps.id == 1 || 'rep' == 'rep.x'", set()),
        ("rep['id'] == 'a' && lead.country in rep.territories", None),
        ("rep.size() == 1", None),
    ],
)
def test_attributes_of_a_name(source: str, expected: set[str] | None) -> None:
    assert attributes_read("rep", source) == expected


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["lead.country == 'DE'", "has(lead.size) && lead.size > 3"], {"country", "size"}),
        (["fit > 3"], set()),
        (["lead == lead"], None),
        (["lead['country'] == 'DE' || lead.size > 2"], None),
        (["lead.title == 'team lead'"], {"title"}),
        (["mislead.size > other.lead.size"], set()),
    ],
    ids=["names", "none", "whole", "computed", "in-a-text", "others"],
)
def test_attributes_that_several_sources_read(
    sources: list[str], expected: set[str] | None
) -> None:
    assert attributes_read("lead", *sources) == expected


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (("event.properties.path == '/x'", "event.properties.utm.medium == 'y'"), {"path", "utm"}),
        (("event.properties.path == '/x'", "event.type == 'x'"), None),
        (("event.properties.exists(k, k == 'x')",), None),
    ],
)
def test_attributes_of_a_path(sources: tuple[str, ...], expected: set[str] | None) -> None:
    assert attributes_read("event.properties", *sources) == expected
