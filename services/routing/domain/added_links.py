"""Links that are added to a notification which is otherwise complete."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
import orjson

from services.routing.domain.notification_body import body


class ReadNotification(msgspec.Struct):
    """A notification as it was read; its parts are copied as bytes."""

    type: str
    timestamp: datetime
    """When what it is about happened."""
    data: dict[str, msgspec.Raw]

    @property
    def rep(self) -> str | None:
        """The rep who held the handoff, where that is known."""
        return _handoff_of(self.data["handoff"]).rep if "handoff" in self.data else None

    def with_links(self, links: Mapping[str, str]) -> bytes:
        """The notification with these links beside its own; nothing else changes, unless it becomes too large."""
        own = _links_of(self.data["links"]) if "links" in self.data else {}
        data = {name: orjson.Fragment(bytes(it)) for name, it in self.data.items()}
        return body(self.type, {**data, "links": {**own, **links}}, at=self.timestamp)


class _Handoff(msgspec.Struct):
    rep: str | None = None


_links_of = msgspec.json.Decoder(dict[str, str]).decode
_handoff_of = msgspec.json.Decoder(_Handoff).decode
read_notification = msgspec.json.Decoder(ReadNotification).decode
"""The notification of these bytes."""
