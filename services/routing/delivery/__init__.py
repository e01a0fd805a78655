"""Webhooks on their way: claim, send, record; no transaction is open while one is sent."""

from __future__ import annotations

from services.routing.delivery.courier import Courier, check_vault, take_up
from services.routing.delivery.delivering import deliver

__all__ = ["Courier", "check_vault", "deliver", "take_up"]
