"""Tests of the descriptions of webhooks against the bodies that are sent."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import BaseModel

from services.routing.api.webhook_examples import example_bodies
from services.routing.api.webhooks import MODELS
from services.routing.domain import notifications
from services.routing.domain.promises import promise_notification
from services.routing.main import build_api
from shared.contracts.payloads import LeadContext
from shared.db.session import engine_for, sessions_on
from tests.builders import sla_changed
from tests.services.routing.builders import URL

TYPES = {
    value
    for value in vars(notifications).values()
    if isinstance(value, str) and value.startswith(("handoff.", "endpoint.", "campaign."))
}


def test_every_type_of_webhook_is_described() -> None:
    assert MODELS.keys() == TYPES == example_bodies().keys()
    webhooks = build_api(
        sessions_on(engine_for("postgresql://nobody@127.0.0.1:1/nothing"))
    ).openapi()["webhooks"]
    assert webhooks.keys() == TYPES
    for item in webhooks.values():
        assert list(item["post"]["responses"]) == ["2XX", "410", "default"]


def unknown_fields(model: BaseModel, body: dict[str, Any]) -> list[str]:
    """The fields of the body that the model does not describe."""
    unknown = [it for it in body if it not in type(model).model_fields]
    for name, value in model:
        if isinstance(value, BaseModel) and isinstance(body.get(name), dict):
            unknown += [f"{name}.{it}" for it in unknown_fields(value, body[name])]
    return unknown


@pytest.mark.parametrize("type", sorted(TYPES))
def test_a_body_has_only_fields_that_are_described(type: str) -> None:
    body = example_bodies()[type]

    webhook = MODELS[type].model_validate(body)

    assert unknown_fields(webhook, body) == []


def test_a_breach_of_a_handoff_that_is_not_known_is_described_too() -> None:
    notification = promise_notification(
        sla_changed(), None, endpoint="ops", cause="c", public_url=URL
    )
    body = orjson.loads(notification.body)

    webhook = MODELS[notification.type].model_validate(body)

    assert unknown_fields(webhook, body) == []
    assert LeadContext.__name__ not in repr(webhook)
