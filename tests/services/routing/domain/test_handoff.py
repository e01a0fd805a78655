"""What is said about handoffs is what the contract says."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from services.routing.domain.handoff import State, Step
from shared.contracts.codec import encode
from shared.contracts.payloads import Change, HandoffChanged, LeadContext
from shared.contracts.topics import HANDOFFS_CHANGED
from tests.builders import NOON, lead_qualified
from tests.services.routing.builders import handoff

LATER = datetime(2026, 11, 18, 14, 0, 0, 1200, timezone(timedelta(hours=1)))
EVERYTHING: dict[str, Any] = {
    "reason": 'no "budget", ä',
    "recycle": True,
    "outcome": "reached",
    "channel": "phone",
    "amount": 1e16,
    "currency": "EUR",
    "attempt": False,
    "touch": False,
    "reached": True,
    "resumes_at": LATER,
    "then": "recycle",
}


@pytest.mark.parametrize("state", [State.WAITING, State.ASSIGNED])
@pytest.mark.parametrize("details", [{}, {"reason": None, "amount": 12.5}, EVERYTHING])
@pytest.mark.parametrize(
    "context",
    [
        LeadContext(),
        LeadContext(email="ada@example.com", first_campaign={"campaign": "autumn"}),
        LeadContext(name="Ada", sources=("website", "app"), last_campaign={"name": "winter"}),
    ],
    ids=["unknown", "e-mail", "name"],
)
def test_a_step_is_encoded_as_the_contract_encodes_it(
    state: State, details: dict[str, Any], context: LeadContext
) -> None:
    after = handoff(state)._replace(lead=lead_qualified(context=context))
    for change in Change:
        wrote = Step(after, change, LATER, NOON, "leadbaton", details).payload()
        read = HANDOFFS_CHANGED.codec.decode(wrote)
        assert orjson.loads(encode(read)) == orjson.loads(wrote)
        assert (read.change, read.occurred_at, read.recorded_at) == (change, LATER, NOON)
        assert read.lead_name == (context.name or context.email)
        assert orjson.loads(wrote)["recycle"] is details.get("recycle", False)


def test_a_step_has_every_field_of_the_contract() -> None:
    context = LeadContext(
        name="Ada", sources=("app",), last_campaign={"name": "winter"}, persona="buyer"
    )
    after = handoff(calendar="late")._replace(lead=lead_qualified(context=context))
    wrote = Step(after, Change.WON, LATER, NOON, "rep/grace", EVERYTHING).payload()

    read = HANDOFFS_CHANGED.codec.decode(wrote)

    assert orjson.loads(wrote).keys() == set(HandoffChanged.__struct_fields__)
    assert (read.campaign, read.sources, read.amount) == ("winter", ("app",), 1e16)
