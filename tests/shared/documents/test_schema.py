"""The JSON Schemas of the files accept what the files hold, and refuse what their models refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from pydantic import BaseModel

from services.routing.roster_file import RosterFile
from shared.agreement.model import Agreement
from shared.documents import Document
from shared.documents.schema import json_schema

ROOT = Path(__file__).parents[3]
FILES = [("agreement", Agreement), ("reps", RosterFile)]


def value_of(name: str) -> Any:
    return Document.of((ROOT / "examples" / f"{name}.yaml").read_text(), name=name).tree.value


@pytest.mark.parametrize(("name", "model"), FILES)
def test_the_example_matches_and_names_its_schema(name: str, model: type[BaseModel]) -> None:
    validator = jsonschema_rs.validator_for(json_schema(model))

    assert [it.message for it in validator.iter_errors(value_of(name))] == []
    first, *_ = (ROOT / "examples" / f"{name}.yaml").read_text().splitlines()
    schema = ROOT / "examples" / first.removeprefix("# yaml-language-server: $schema=")
    assert orjson.loads(schema.read_text()) == json_schema(model)


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("scoring", {"zzz": 1}),
        ("scoring", {"fit": [{"id": "Bad", "when": "true", "points": 1}]}),
        ("scoring", {"fit": [{"id": "good", "when": "true", "points": 5000}]}),
        ("sla", {"policies": [{"id": "a"}]}),
        ("qualification", {"hand_raise": ["x"] * 101}),
        ("routing", {"teams": []}),
    ],
)
def test_a_fault_does_not_match(section: str, change: dict[str, Any]) -> None:
    value = value_of("agreement")
    value[section] |= change

    assert not jsonschema_rs.validator_for(json_schema(Agreement)).is_valid(value)


def test_defaults_are_written_as_in_files() -> None:
    schema = orjson.dumps(json_schema(Agreement)).decode()
    assert '"default":0.8' in schema
    assert '"default":"P' not in schema
    assert '"default":{' not in schema
