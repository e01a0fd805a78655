"""The glossary has an entry for every public word: states, changes, scopes, tables, topics, families of metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from sqlalchemy import MetaData

from services.alignment import tables as alignment
from services.routing import tables as routing
from services.scoring import tables as scoring
from services.sla_monitor import tables as sla
from shared.agreement.model import Agreement
from shared.auth.keys import KeyScope
from shared.contracts.topics import TOPICS
from shared.db import tables as messaging
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "glossary.md").read_text()
ENTRY = re.compile(r"^- \*\*(?P<name>[^*]+)\*\*(?: \((?P<others>[^)]*)\))?: [A-Z]", re.MULTILINE)
EVERYDAY = set(
    """
    2xx 3xx 4xx 5xx all any boolean csv day ever fri json list mon month none number ok open retry sat
    string sun thu tue wed yaml
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""Values that say what they mean."""
TERMS = """
    MQL SAL event lead handoff assignment hop tier threshold hand-raise suppressed recycled rep team
    roster capacity rep_load fair_share sticky eligibility exclusion decision allocation endpoint
    notification delivery attempt SLA policy clock target due at_risk breach escalation attainment
    outbox relay offset dead_letter signal fit_rule fit engagement grade likelihood identifier merge
    qualified accepted strategy routing_rule topic message batch consumer producer agreement account
""".split()  # noqa: SIM905 - a list of words reads better as words
"""Words of the conversation, whether or not they are names in the API."""


def entries() -> set[str]:
    """The names of all entries, with those in brackets, in lower case and without signs."""
    names: set[str] = set()
    for entry in ENTRY.finditer(PAGE):
        names.update([entry["name"], *re.split(r"[;,] ", entry["others"] or "")])
    return {_plain(name) for name in names if name}


def _plain(name: str) -> str:
    return re.sub(r"[`\s_-]+", " ", name).strip().lower()


def enum_values(schema: Any) -> Iterator[str]:
    """Every value of every enumeration in a JSON Schema or a document that holds some."""
    if isinstance(schema, dict):
        yield from (it for it in schema.get("enum", ()) if isinstance(it, str))
        for inner in schema.values():
            yield from enum_values(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from enum_values(inner)


def values_of_apis() -> set[str]:
    documents = [json.loads(it.read_text()) for it in (ROOT / "docs" / "openapi").glob("*.json")]
    return {value for document in documents for value in enum_values(document)}


def values_of_payloads() -> set[str]:
    return set(enum_values(yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())))


def values_of_the_agreement() -> set[str]:
    return set(enum_values(Agreement.model_json_schema()))


def names_of_tables() -> set[str]:
    schemas: list[MetaData] = [it.metadata for it in (messaging, scoring, routing, sla, alignment)]
    return {table.name for schema in schemas for table in schema.tables.values()}


def families_of_metrics() -> set[str]:
    """The first word of each metric of ours: `outbox` of `leadbaton_outbox_unpublished`."""
    modules = [it for top in ("services", "shared") for it in (ROOT / top).rglob("metrics.py")]
    return {
        it for module in modules for it in re.findall(r'"leadbaton_([a-z]+)', module.read_text())
    }


def has_entry(name: str) -> bool:
    """Whether the name, or its singular, is an entry."""
    plain = _plain(name)
    singulars = (
        plain,
        plain.removesuffix("s"),
        re.sub("ies$", "y", plain),
        re.sub("es$", "", plain),
    )
    return not entries().isdisjoint(singulars)


@pytest.mark.parametrize(
    "names",
    [
        values_of_apis(),
        values_of_payloads(),
        values_of_the_agreement(),
        set(KeyScope),
        names_of_tables(),
        {word for topic in TOPICS for word in topic.name.split(".")} - {"marketing", "changed"},
        set(TERMS),
    ],
    ids=["apis", "payloads", "agreement", "scopes", "tables", "topics", "terms"],
)
def test_every_public_word_has_an_entry(names: set[str]) -> None:
    assert names
    assert [name for name in sorted(names - EVERYDAY) if not has_entry(name)] == []


def test_every_family_of_metrics_has_an_entry() -> None:
    families = families_of_metrics()
    assert len(families) > 10
    assert sorted(families - {entry.partition(" ")[0] for entry in entries()}) == []


def test_a_word_has_one_entry() -> None:
    names = [_plain(entry["name"]) for entry in ENTRY.finditer(PAGE)]
    assert len(names) > len(TERMS)
    assert sorted(names) == sorted(set(names))


def test_every_entry_is_read() -> None:
    assert len(ENTRY.findall(PAGE)) == len(re.findall(r"^- ", PAGE, re.MULTILINE))
