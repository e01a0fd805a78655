"""A qualified lead is the same whichever way it is read, and is written so that either way reads it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts.leads import Lead, lead_of, written_lead
from shared.contracts.payloads import (
    LeadContext,
    LeadQualified,
    Qualified,
    Reason,
    Scores,
    Touch,
)
from shared.values import within
from tests.builders import NOON, lead_qualified
from tests.shared.contracts.test_events import told

texts = st.text(max_size=20)
points = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9).map(float)
campaigns = st.dictionaries(texts, texts, max_size=3)
touches = st.builds(
    Touch,
    id=texts,
    type=texts,
    time=st.just(NOON),
    title=st.none() | texts,
    url=st.none() | texts,
    properties=told,
)
contexts = st.builds(
    LeadContext,
    **dict.fromkeys(("email", "phone", "name", "company", "account"), st.none() | texts),
    traits=told,
    why_now=st.none() | touches,
    reasons=st.lists(st.builds(Reason, rule=texts, label=texts, points=points), max_size=2),
    recent=st.lists(touches, max_size=2),
    first_campaign=campaigns,
    last_campaign=campaigns,
    sources=st.lists(texts, max_size=2),
)
leads = st.builds(
    LeadQualified,
    lead_id=st.uuids(),
    qualification=st.integers(1, 2**40),
    change=st.sampled_from(Qualified),
    at=st.just(NOON),
    tier=texts,
    cause=texts,
    scores=st.builds(
        Scores, fit=points, engagement=points, likelihood=st.none() | points, grade=texts
    ),
    agreement_version=st.integers(-(2**40), 2**40),
    context=contexts,
)


def said(lead: Lead) -> dict[str, Any]:
    """All that it says, of whatever class it is."""
    if isinstance(lead, LeadQualified):
        return lead.model_dump()
    told: dict[str, Any] = msgspec.to_builtins(lead, builtin_types=(type(NOON), type(lead.lead_id)))
    return LeadQualified.model_validate(told).model_dump()


@given(leads)
def test_both_ways_of_reading_agree(lead: LeadQualified) -> None:
    written = within(written_lead(lead))

    quick = lead_of(written)

    assert said(quick) == said(LeadQualified.model_validate_json(written))
    assert said(lead_of(written_lead(quick))) == said(quick)


def test_a_lead_is_read_the_quick_way() -> None:
    assert not isinstance(lead_of(written_lead(lead_qualified())), LeadQualified)


@pytest.mark.parametrize(
    "change",
    [
        {"at": 1_800_000_000},
        {"qualification": "7"},
        {"lead_id": "urn:uuid:0190f2ab-5c4d-7e8f-9a0b-1c2d3e4f5061"},
        {"news": [1]},
    ],
    ids=["seconds", "number as text", "urn", "what this reader does not know"],
)
def test_what_pydantic_understands_is_understood(change: dict[str, Any]) -> None:
    written = _changed(change)

    assert said(lead_of(written)) == said(LeadQualified.model_validate_json(written))


@pytest.mark.parametrize(
    "change",
    [
        {"qualification": 0},
        {"qualification": 1.5},
        {"change": "perhaps"},
        {"at": "2026-11-18T12:00:00"},
        {"lead_id": "ada"},
        {"scores": {"fit": "much"}},
        {"context": {"recent": [{"id": 1}]}},
        {"context": {"first_campaign": {"name": 1}}},
        {"context": {"sources": [None]}},
        {"agreement_version": None},
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_in_the_same_words(change: dict[str, Any]) -> None:
    written = _changed(change)
    with pytest.raises(ValidationError) as slow:
        LeadQualified.model_validate_json(written)
    with pytest.raises(ValidationError) as quick:
        lead_of(written)

    assert str(quick.value) == str(slow.value)


def _changed(change: dict[str, Any]) -> bytes:
    return json.dumps({**json.loads(lead_qualified().model_dump_json()), **change}).encode()
