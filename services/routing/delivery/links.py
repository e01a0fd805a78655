"""Links for people in notifications. They are added when an attempt is made, so that no link is ever stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from services.routing.domain import notifications
from services.routing.domain.added_links import ReadNotification, read_notification
from services.routing.domain.answer_links import LIFETIME, PATH, PURPOSE, AnswerLink, token_of
from services.routing.domain.notifications import Notification, rep_endpoint
from shared.auth.derived_keys import derived_keys

ANSWERABLE: Final = frozenset(
    {notifications.ASSIGNED, notifications.BREACHED, notifications.AT_RISK}
)
"""Types of notifications that, sent to a rep, ask for an answer."""


@dataclass(frozen=True, slots=True)
class MessageLinks:
    """What links begin with, and the key that signs those for answers; without a key there are none."""

    public_url: str = ""
    console_url: str = ""
    key: bytes | None = None

    @classmethod
    def of(cls, public_url: str, console_url: str, secret_key: SecretStr | None) -> MessageLinks:
        """The links of an installation with this LEADBATON_SECRET_KEY; its newest part signs."""
        return cls(public_url, console_url, next(iter(derived_keys(secret_key, PURPOSE)), None))

    def linked_body(self, notification: Notification) -> bytes:
        """The notification with its links, the same bytes in every attempt."""
        if self.key is None and not self.console_url:
            return notification.body
        read = read_notification(notification.body)
        links = {}
        if token := self._token(notification, read):
            links["answer"] = f"{self.public_url.rstrip('/')}{PATH}{token}"
        if self.console_url and notification.handoff_id is not None:
            path = f"/handoffs/{notification.handoff_id}"
            links["console"] = f"{self.console_url.rstrip('/')}{path}"
        return read.with_links(links) if links else notification.body

    def _token(self, notification: Notification, read: ReadNotification) -> str | None:
        """The token for the answers of the rep who holds the handoff, if the notification goes to that rep."""
        rep = read.rep if notification.type in ANSWERABLE else None
        if self.key is None or rep is None or notification.endpoint != rep_endpoint(rep):
            return None
        if notification.handoff_id is None:
            return None
        expires_at = read.timestamp + LIFETIME
        link = AnswerLink(notification.handoff_id, notification.hop, rep, expires_at)
        return token_of(link, self.key)


NO_LINKS: Final = MessageLinks()
