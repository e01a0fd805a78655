"""The check of one CEL expression before it ever runs: syntax, names and types, each fault at its character."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from cel_expr_python import cel

from shared.agreement.cel.compile import program
from shared.agreement.cel.condition import Condition
from shared.agreement.cel.read import Call, Kind, calls, tokens
from shared.documents import nearest
from shared.documents.spelling import closest

Names = tuple[tuple[str, str], ...]
"""What an expression may read, qualified (`lead.country`), with CEL's name of its type."""

_ERROR = re.compile(r"ERROR: <input>:(?P<line>\d+):(?P<column>\d+): (?P<message>.*)")
_UNDECLARED = re.compile(r"undeclared reference to '(?P<name>[^']+)'")
_OVERLOAD = re.compile(
    r"found no matching overload for '(?P<operator>[^']+)' applied to '(?P<types>.*)'"
)
_TEXT_READ_LATE = frozenset({"matches", "duration", "timestamp"})
"""Functions whose text is read only when they run."""
_FUNCTIONS = """
    contains startsWith endsWith matches size has exists exists_one all filter map int uint double
    string bool type duration timestamp getFullYear getMonth getDate getDayOfMonth getDayOfWeek
    getDayOfYear getHours getMinutes getSeconds dyn
""".split()  # noqa: SIM905 - a list of words reads better as words
_SYNTAX = ("Syntax error", "reserved identifier", "unsupported syntax")
_TOO_DEEP = "brackets or operators are nested too deeply"
_COMPARISONS = {"_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_", "@in"}
_NUMBERS = {"int", "uint", "double"}
_SIGNS_OF_WORDS = {"and": "&&", "or": "||", "not": "!"}
_UNAVAILABLE = {
    "likelihood": "`likelihood` is not computed yet, so that this never holds; ask for fit and engagement instead",
    "lead.stage": "`lead.stage` is not known where this is counted; ask for it in `suppress` or in `routing.rules`",
}
"""Names that some context has, or will have, and this one has not."""
_KINDS = {
    "string": "text", "int": "a whole number", "uint": "a whole number", "double": "a number",
    "bool": "true or false",
}  # fmt: skip


class ConditionFault(NamedTuple):
    """A fault of an expression, and the offset of the character where it is."""

    offset: int
    message: str


def condition_faults(condition: Condition, names: Names) -> list[ConditionFault]:
    """All faults of a condition that may read these names."""
    source = condition.source
    checkable = _with_has_renamed(source)
    errors = _errors(checkable, _environment(names).compile)
    if syntax := [it for it in errors if it.message.startswith(_SYNTAX)]:
        return [ConditionFault(syntax[0].offset, _syntax(syntax[0].message, source))]
    faults = [fault for it in errors if (fault := _fault(it, source, names))]
    return (
        faults
        or _errors(source, program)
        or [*_unreadable_texts(source), *_not_boolean(checkable, names)]
        or list(_fails_always(condition))
    )


@lru_cache(maxsize=64)
def _environment(names: Names) -> cel.Env:
    has = cel.Overload("h_s", return_type=cel.Type.BOOL, parameters=[cel.Type.DYN])
    return cel.NewEnv(
        variables={name: cel.Type(kind) for name, kind in names},
        functions=[cel.FunctionDecl("h_s", [has])],
    )


def _with_has_renamed(source: str) -> str:
    """The source with `h_s` for the macro `has`: the checker would give has(lead.x) the type of lead.x."""
    for call in calls(tokens(source)):
        if call.name.text == "has":
            offset = call.name.offset
            source = f"{source[:offset]}h_s{source[offset + 3 :]}"
    return source


def _errors(source: str, compile_: Callable[[str], object]) -> list[ConditionFault]:
    """The errors of the library, in its own words."""
    try:
        compile_(source)
    except RuntimeError as failure:
        return [
            ConditionFault(
                _offset(source, int(error["line"]), int(error["column"])),
                error["message"].removesuffix(" [INVALID_ARGUMENT]"),
            )
            for error in _ERROR.finditer(str(failure))
        ] or [ConditionFault(0, f"{_TOO_DEEP}: {failure}")]
    return []


def _offset(source: str, line: int, column: int) -> int:
    return sum(len(it) + 1 for it in source.split("\n")[: line - 1]) + column - 1


def _syntax(message: str, source: str) -> str:
    message = message.removeprefix("Syntax error: ")
    if "input '<EOF>'" in message or "at '<EOF>'" in message:
        return "the condition ends too early; close what is open, or finish the comparison"
    if re.search(r"at: '=\s*'?", message):
        return "`=` does not compare; write `==`"
    if re.search(r"at: '[\"']", message):
        return "a text without its closing quote; close it"
    if re.search(r"at: '[&|]", message):
        return "`&` and `|` do not join conditions; write `&&` or `||`"
    words = [it.text for it in tokens(source) if it.text in _SIGNS_OF_WORDS]
    if words and "input" in message:
        return f"`{words[0]}` is not known here; write `{_SIGNS_OF_WORDS[words[0]]}`"
    return (
        f'{message.partition(" expecting ")[0]}; a condition is CEL, such as lead.country == "DE"'
    )


def _fault(error: ConditionFault, source: str, names: Names) -> ConditionFault | None:
    """The error with how to mend it; None where the condition works nevertheless."""
    offset, message = error
    if undeclared := _UNDECLARED.search(message):
        return _unknown(offset, undeclared["name"], source, names)
    if overload := _OVERLOAD.search(message):
        return _mismatch(offset, overload["operator"], overload["types"])
    if message.startswith(_TOO_DEEP):
        return ConditionFault(offset, f"{_TOO_DEEP}; write it flatter")
    return ConditionFault(
        offset, f"{message}; see docs/agreement.md for what `lead` and `event` have"
    )


def _unknown(offset: int, name: str, source: str, names: Names) -> ConditionFault:
    roots = list(dict.fromkeys(it.partition(".")[0] for it, _ in names))
    root, _, attribute = name.partition(".")
    start = source.rfind(root, 0, offset + 1 + len(name))
    if not attribute and re.match(r"\s*\(", source[offset:]) and root not in roots:
        start = source.rfind(root, 0, offset)
        hint = nearest(root, _FUNCTIONS, "there are")
        return ConditionFault(start, f"unknown function `{root}`; {hint}")
    known = [it.partition(".")[2] for it, _ in names if it.startswith(f"{root}.")]
    if reason := _UNAVAILABLE.get(name):
        return ConditionFault(start, reason)
    if root in roots and known:
        return ConditionFault(start, _unknown_attribute(root, attribute.partition(".")[0], known))
    hint = nearest(root, roots, "the names here are")
    return ConditionFault(start, f"unknown name `{root}`; {hint}")


def _unknown_attribute(root: str, attribute: str, known: Sequence[str]) -> str:
    if not attribute:
        return f"`{root}` alone is no value; write one of its parts, such as {root}.{known[0]}"
    if root != "lead":
        return f"`{root}` has no `{attribute}`; {nearest(attribute, known, 'it has')}"
    close = closest(attribute, known)
    hint = f"did you mean `{close}`?" if close else "declare it under `traits`"
    return f"unknown trait `{attribute}`; {hint}"


def _mismatch(offset: int, operator: str, types: str) -> ConditionFault | None:
    operands = types.strip("()").split(", ")
    if operator in _COMPARISONS and _are_numbers(operands):
        return None
    sign = operator.strip("_@") or operator
    kinds = " and ".join(map(_kind, operands))
    if "null_type" in operands:
        message = f"`{sign}` with null never holds; write !has(…) where a value may be missing"
    elif set(operands) <= _NUMBERS:
        message = f"`{sign}` does not mix whole numbers and others; write 2.0 for 2"
    elif operator in {"_&&_", "_||_", "!_", "_?_:_"}:
        message = f"`{sign}` joins conditions, not {kinds}; compare it with something"
    else:
        message = f"`{sign}` does not go with {kinds}; compare like with like"
    return ConditionFault(offset, message)


def _are_numbers(operands: Sequence[str]) -> bool:
    """Whether only numbers are compared: 7 > 5.5, 7.0 == 7 and 7.0 in [7] are true, though the checker refuses them."""
    return all(it.removeprefix("list(").removesuffix(")") in _NUMBERS for it in operands)


def _unreadable_texts(source: str) -> Iterator[ConditionFault]:
    """Faults in patterns, durations and times, which CEL would read only when they run."""
    for call in calls(tokens(source)):
        if call.name.text in _TEXT_READ_LATE:
            yield from _unreadable_text(call)


def _unreadable_text(call: Call) -> Iterator[ConditionFault]:
    function, argument = call.name.text, call.arguments[-1]
    if len(argument) != 1 or argument[0].kind is not Kind.TEXT:
        return
    text = argument[0].text
    probe = f'"".matches({text})' if function == "matches" else f"{function}({text})"
    answer = _environment(()).compile(probe).eval(data={})
    if answer.type() == cel.Type.ERROR:
        reason = str(answer.value()).partition(": ")[2]
        yield ConditionFault(argument[0].offset, f"{reason}; mend the text that `{function}` reads")


def _not_boolean(checkable: str, names: Names) -> Iterator[ConditionFault]:
    open_numbers = tuple((name, "dyn" if kind == "double" else kind) for name, kind in names)
    try:
        kind = _environment(open_numbers).compile(checkable).return_type().name().lower()
    except RuntimeError:
        return  # arithmetic beside a whole number is sound, but of a type that cannot be told
    if kind not in {"bool", "dyn"}:
        message = f"a condition is true or false, this is {_kind(kind)}; compare it with something"
        yield ConditionFault(0, message)


def _fails_always(condition: Condition) -> Iterator[ConditionFault]:
    if condition.fault is not None:
        message = f"this fails whatever it is asked about: {condition.fault}; write it simpler"
        yield ConditionFault(0, message)


def _kind(type_: str) -> str:
    return "a list" if type_.startswith("list") else _KINDS.get(type_, type_)
