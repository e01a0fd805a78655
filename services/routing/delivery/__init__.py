"""Webhooks on their way: claim, send, record; no transaction is open while one is sent."""

from __future__ import annotations

from services.routing.delivery.dispatcher import Dispatcher, check_vault, take_up
from services.routing.delivery.loop import deliver

__all__ = ["Dispatcher", "check_vault", "deliver", "take_up"]
