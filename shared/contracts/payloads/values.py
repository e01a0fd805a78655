"""Values that payloads of several topics hold."""

from __future__ import annotations

from shared.values import Value

Facts = dict[str, Value]
"""Values under names that the sender has chosen."""
