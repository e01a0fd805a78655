"""A file that is not YAML, or does not fit the model, is refused with the position of every fault."""

from __future__ import annotations

from datetime import date
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from shared.documents import Fault, InvalidDocument, read, text_of


class Wheel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: float = Field(ge=1, description="In inches.")
    colour: Literal["red", "blue"] = "red"


class Car(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    wheels: tuple[Wheel, ...] = ()
    spare: Wheel | None = None
    extras: dict[str, Wheel] = Field(default_factory=dict)
    built: dict[date, str] = Field(default_factory=dict)


def refused(source: str) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        read(Car, source, name="car.yaml")
    return caught.value.message.split("\n")


def test_a_file_becomes_a_value() -> None:
    car = read(Car, "\ufeffname: on\nwheels: [{size: 3}]\nbuilt: {2026-01-01: here}\n", name="c")
    assert car == Car(name="on", wheels=(Wheel(size=3),), built={date(2026, 1, 1): "here"})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "1:1: the file is empty"),
        ("a: [1\nb: 2", "2:2: expected ',' or ']', but got ':'; check the indentation"),
        ("a: b: c", "1:5: mapping values are not allowed here; put text that contains `: `"),
        ("a:\n\t- b", "2:1: found character '\\t' that cannot start any token; indent with spaces"),
        ("name: x\nname: y", "2:1: `name` is here already, on line 1; keep one of them"),
        ("name: &x y\nspare: *x", "2:8: aliases (`*name`) are not read here; write the value out"),
        ("name: !!python/name:os.system x", "1:7: tags (`tag:yaml.org,2002:python/name:os.system`)"),
        ("name: x\nb: \x01", "2:4: a character that YAML does not allow"),
        ("name: x\n[1, 2]: x", "2:1: a key must be text"),
        ("a: 1\n--- \nb: 2", "2:1: but found another document"),
        ("[" * 5000, "1:1: nested too deeply"),
        ("a: '" + "x" * 1_000_000, "1:1: longer than 1000000 characters"),
    ],
)  # fmt: skip
def test_what_is_not_yaml_is_refused_with_the_position(source: str, message: str) -> None:
    [line] = refused(source)
    assert line.startswith(f"car.yaml:{message}")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("- 1", "1:1: a list is no mapping; write its fields as `name: value`"),
        ("wheels: []", "1:1: `name` is missing; add it"),
        ("name: 5", "1:7: `5` is not text; put it in quotes"),
        ("name: true", "1:7: true is not text; put it in quotes"),
        ("name:", "1:6: nothing is not text; write one text"),
        ("name: x\nwhels: []", "2:1: unknown field `whels`; did you mean `wheels`?"),
        ("name: x\nzzz: []", "2:1: unknown field `zzz`; the fields here are: name, wheels, spare,"),
        ("name: x\nwheels:\n  - size: 0", "3:11: `0` is too small; write at least 1"),
        ("name: x\nwheels:\n  - {}", "3:5: `size` is missing; add it: In inches"),
        ("name: x\nwheels:\n  - {size: 2, color: red}", "3:15: unknown field `color`; did you mean `colour`?"),
        ("name: x\nspare: {size: 2, color: red}", "2:18: unknown field `color`; did you mean `colour`?"),
        ("name: x\nextras: {a: {size: 2, color: red}}", "2:23: unknown field `color`; did you mean `colour`?"),
        ("name: x\nspare: {size: 2, colour: green}", "2:26: `green` is not known here; write 'red' or 'blue'"),
        ("name: x\nspare: {size: {}}", "2:15: a mapping is not a number; write such as 10 or 2.5"),
        ("name: x\nbuilt: {soon: here}", "2:9: `soon` is not a date; write year-month-day, such as 2026-12-24"),
    ],
)  # fmt: skip
def test_what_the_model_does_not_know_is_refused_with_the_position(
    source: str, message: str
) -> None:
    [line] = refused(source)
    assert line.startswith(f"car.yaml:{message}")


def test_every_fault_is_reported_at_once_and_in_order() -> None:
    lines = refused(f"name: [{'x' * 70}]\nwheels: [{{size: {'y' * 70}}}]\nzzz: 1\n")
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3"]
    assert f"`{'y' * 60}…`" in lines[1]


def test_a_fault_has_the_path_of_the_value() -> None:
    with pytest.raises(InvalidDocument) as caught:
        read(Car, "name: x\nwheels: [{size: 0}]", name="car.yaml")
    [fault] = caught.value.faults
    assert (fault.line, fault.column, fault.path) == (2, 17, "wheels[0].size")


def test_bytes_that_are_no_text_are_refused_with_the_position() -> None:
    assert text_of("\ufeffä".encode(), name="f") == "ä"
    with pytest.raises(InvalidDocument) as caught:
        text_of(b"a: b\nc: \xff", name="f")
    assert caught.value.faults == (
        Fault(2, 4, "", "a byte that is not UTF-8; save the file as UTF-8"),
    )


class Fleet(BaseModel):
    cars: tuple[Car, ...] = Field(min_length=1)


def test_a_list_of_faulty_entries_is_not_too_short() -> None:
    with pytest.raises(InvalidDocument) as wrong:
        read(Fleet, "cars: [{name: 1}]", name="f")
    with pytest.raises(InvalidDocument) as empty:
        read(Fleet, "cars: []", name="f")

    assert wrong.value.message == "f:1:15: `1` is not text; put it in quotes"
    assert empty.value.message.startswith("f:1:7: a list has too few entries; write at least 1")


def test_unsupported_yaml_hides_no_other_faults() -> None:
    source = 'name: *x\nspare: {size: 0}\nspare: 1\n[1]: y\nwheels: !!set [{size: 0}]\nzzz: "\\0"\n'
    faults = [it.removeprefix("car.yaml:").partition(";")[0] for it in refused(source)]
    assert faults == [
        "1:7: aliases (`*name`) are not read here",
        "2:15: `0` is too small",
        "3:1: `spare` is here already, on line 2",
        "4:1: a key must be text",
        "5:9: tags (`tag:yaml.org,2002:set`) are not read here",
        "6:1: unknown field `zzz`",
        "6:7: the character '\\x00' cannot be stored",
    ]


def test_a_message_has_no_control_characters() -> None:
    assert refused('name: x\n"\\e[2J\\n": 1')[0] == (
        r"car.yaml:2:1: unknown field `\x1b[2J\n`; the fields here are: name, wheels, spare, extras, built"
    )
