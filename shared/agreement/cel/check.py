"""One CEL expression judged before it ever runs: syntax, names and types, each fault at its character."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cel_expr_python import cel

from shared.agreement.cel.cache import LITERAL, bare
from shared.agreement.cel.condition import Condition, program
from shared.documents import nearest

Names = tuple[tuple[str, str], ...]
"""What an expression may speak of, qualified (`lead.country`), with CEL's name of its type."""

_TOLD = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']+)' applied to '(.*)'")
_HAS = re.compile(r"\bhas(?=\s*\()")
_READ_AT_LAST = re.compile(r"\b(matches|duration|timestamp)\s*\((?:[^()]*,)?\s*(?=[rR]?[\"'])")
_FUNCTIONS = """
    contains startsWith endsWith matches size has exists exists_one all filter map int uint double
    string bool type duration timestamp getFullYear getMonth getDate getDayOfMonth getDayOfWeek
    getDayOfYear getHours getMinutes getSeconds dyn
""".split()  # noqa: SIM905 - a list of words reads better as words
_SYNTAX = ("Syntax error", "reserved identifier", "unsupported syntax")
_TOO_DEEP = "brackets or operators stand too deep in each other"
_COMPARISONS = {"_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_", "@in"}
_NUMBERS = {"int", "uint", "double"}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with an expression, at which of its characters."""

    offset: int
    message: str


def complaints(condition: Condition, names: Names) -> list[Complaint]:
    """Everything wrong with a condition that may speak of these names; nothing if it is sound."""
    source = condition.source
    askable = _HAS.sub("h_s", source)
    told = _faults(askable, _environment(names).compile)
    if syntax := [it for it in told if it[1].startswith(_SYNTAX)]:
        return [Complaint(syntax[0][0], _syntax(syntax[0][1], source))]
    found = [it for fault in told if (it := _in_words(*fault, source, names))]
    return (
        found
        or [Complaint(*it) for it in _faults(source, program)]
        or [*_unreadable(source), *_not_boolean(askable, names)]
        or list(_fails_at_once(condition))
    )


def _fails_at_once(condition: Condition) -> Iterator[Complaint]:
    if condition.fault is not None:
        message = f"this fails whatever it is asked about: {condition.fault}; write it simpler"
        yield Complaint(0, message)


@lru_cache(maxsize=64)
def _environment(names: Names) -> cel.Env:
    """`h_s` stands for `has`: the checker would give has(lead.x) the type of lead.x."""
    asks = cel.Overload("h_s", return_type=cel.Type.BOOL, parameters=[cel.Type.DYN])
    return cel.NewEnv(
        variables={name: cel.Type(kind) for name, kind in names},
        functions=[cel.FunctionDecl("h_s", [asks])],
    )


def _faults(source: str, judge: Callable[[str], object]) -> list[tuple[int, str]]:
    try:
        judge(source)
    except RuntimeError as wrong:
        return [
            (_offset(source, int(it[1]), int(it[2])), it[3].removesuffix(" [INVALID_ARGUMENT]"))
            for it in _TOLD.finditer(str(wrong))
        ] or [(0, f"{_TOO_DEEP}: {wrong}")]
    return []


def _offset(source: str, line: int, column: int) -> int:
    return sum(len(it) + 1 for it in source.split("\n")[: line - 1]) + column - 1


def _syntax(told: str, source: str) -> str:
    told = told.removeprefix("Syntax error: ")
    if "input '<EOF>'" in told or "at '<EOF>'" in told:
        return "the condition ends too early; close what is open, or finish the comparison"
    if re.search(r"at: '=\s*'?", told):
        return "`=` does not compare; write `==`"
    if re.search(r"at: '[\"']", told):
        return "text without its closing quote; close it"
    if re.search(r"at: '[&|]", told):
        return "`&` and `|` do not join conditions; write `&&` or `||`"
    if (word := re.search(r"\b(and|or|not)\b", bare(source))) and "input" in told:
        sign = {"and": "&&", "or": "||", "not": "!"}[word[1]]
        return f"`{word[1]}` is not known here; write `{sign}`"
    return f'{told.partition(" expecting ")[0]}; a condition is CEL, such as lead.country == "DE"'


def _in_words(offset: int, told: str, source: str, names: Names) -> Complaint | None:
    if found := _UNDECLARED.search(told):
        return _unknown(offset, found[1], source, names)
    if found := _OVERLOAD.search(told):
        return _mismatch(offset, found[1], found[2])
    if told.startswith(_TOO_DEEP):
        return Complaint(offset, f"{_TOO_DEEP}; write it flatter")
    return Complaint(offset, f"{told}; see docs/agreement.md for what `lead` and `event` have")


def _unknown(offset: int, said: str, source: str, names: Names) -> Complaint:
    roots = list(dict.fromkeys(name.partition(".")[0] for name, _ in names))
    start = source.rfind(said.partition(".")[0], 0, offset + 1 + len(said))
    root, _, inside = said.partition(".")
    if not inside and re.match(r"\s*\(", source[offset:]) and root not in roots:
        start = source.rfind(root, 0, offset)
        return Complaint(
            start, f"unknown function `{root}`; {nearest(root, _FUNCTIONS, 'there are')}"
        )
    known = [name.partition(".")[2] for name, _ in names if name.startswith(f"{root}.")]
    if root in roots and known:
        return Complaint(start, _unknown_part(root, inside.partition(".")[0], known))
    return Complaint(start, f"unknown name `{root}`; {nearest(root, roots, 'here one can ask')}")


def _unknown_part(root: str, part: str, known: Sequence[str]) -> str:
    if not part:
        return f"`{root}` alone says nothing; ask one of its parts, such as {root}.{known[0]}"
    if root != "lead":
        return f"`{root}` has no `{part}`; {nearest(part, known, 'it has')}"
    close = nearest(part, known, "")
    hint = close if close.startswith("did") else "declare it under `traits`"
    return f"unknown trait `{part}`; {hint} (`lead` has {', '.join(sorted(known))})"


def _mismatch(offset: int, operator: str, types: str) -> Complaint | None:
    given = types.strip("()").split(", ")
    if operator in _COMPARISONS and _compares_numbers(given):
        return None
    sign = operator.strip("_@") or operator
    if "null_type" in given:
        return Complaint(
            offset, f"`{sign}` with null never holds; write !has(…) to ask whether it is missing"
        )
    told = " and ".join(map(_kind, given))
    if set(given) <= _NUMBERS:
        return Complaint(offset, f"`{sign}` does not mix whole numbers and others; write 2.0 for 2")
    if operator in {"_&&_", "_||_", "!_", "_?_:_"}:
        return Complaint(
            offset, f"`{sign}` joins conditions, not {told}; compare it with something"
        )
    return Complaint(offset, f"`{sign}` does not go with {told}; compare like with like")


_KINDS = {
    "string": "text", "int": "a whole number", "uint": "a whole number", "double": "a number",
    "bool": "true or false",
}  # fmt: skip


def _compares_numbers(given: Sequence[str]) -> bool:
    """At run time 7 > 5.5, 7.0 == 7 and 7.0 in [7] are true; the checker alone is stricter."""
    return all(it.removeprefix("list(").removesuffix(")") in _NUMBERS for it in given)


def _unreadable(source: str) -> Iterator[Complaint]:
    """Patterns, durations and times that are text until they run: read them now."""
    calls = _READ_AT_LAST.finditer(bare(source))
    for call, literal in (
        (it, literal) for it in calls if (literal := LITERAL.match(source, it.end()))
    ):
        if not source[literal.end() :].lstrip().startswith(")"):
            continue
        probe = f'"".matches({literal[0]})' if call[1] == "matches" else f"{call[1]}({literal[0]})"
        answer = _environment(()).compile(probe).eval(data={})
        if answer.type() == cel.Type.ERROR:
            why = str(answer.value()).partition(": ")[2]
            yield Complaint(literal.start(), f"{why}; mend the text that `{call[1]}` reads")


def _not_boolean(askable: str, names: Names) -> Iterator[Complaint]:
    open_numbers = tuple((name, "dyn" if kind == "double" else kind) for name, kind in names)
    try:
        kind = _environment(open_numbers).compile(askable).return_type().name().lower()
    except RuntimeError:
        return  # arithmetic beside a whole number is sound, but of a type that cannot be told
    if kind not in {"bool", "dyn"}:
        yield Complaint(
            0, f"a condition is true or false, this is {_kind(kind)}; compare it with something"
        )


def _kind(told: str) -> str:
    return "a list" if told.startswith("list") else _KINDS.get(told, told)
