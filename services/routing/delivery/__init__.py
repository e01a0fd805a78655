"""Delivery of webhooks: claim, send, record. No transaction is open while a webhook is sent."""

from __future__ import annotations

from services.routing.delivery.dispatcher import Dispatcher, check_vault, release_claims
from services.routing.delivery.loop import deliver

__all__ = ["Dispatcher", "check_vault", "deliver", "release_claims"]
