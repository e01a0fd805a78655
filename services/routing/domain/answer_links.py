"""Signed links with which a rep answers for one handoff, without an account."""

from __future__ import annotations

import hmac
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from shared.errors import Rejected

LIFETIME: Final = timedelta(days=14)
"""A link ends after this time: the longest holiday that reps commonly take, after which a handoff has long moved on."""
PURPOSE: Final = b"leadbaton answer link"
"""What keeps the key of links apart from other keys of the installation."""
PATH: Final = "/a/"

MAC_BYTES: Final = 16
"""128 bits of HMAC-SHA256: no number of guesses finds a link."""
_HEAD = struct.Struct(">16sII")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{55,138}")


class NoSuchLink(Rejected):
    """The link was not made by this installation, or its end is missing."""

    code: ClassVar[str] = "no_such_link"
    status: ClassVar[int] = 404


class LinkEnded(Rejected):
    """The link is older than 14 days."""

    code: ClassVar[str] = "link_ended"
    status: ClassVar[int] = 410


class AnswerLink(NamedTuple):
    """What a link allows: this rep answers for this hop of this handoff, until an instant."""

    handoff_id: UUID
    hop: int
    rep: str
    expires_at: datetime


def token_of(link: AnswerLink, key: bytes) -> str:
    """The link's content and its signature, as the last part of a URL."""
    seconds = int(link.expires_at.timestamp())
    content = _HEAD.pack(link.handoff_id.bytes, link.hop, seconds) + link.rep.encode()
    return urlsafe_b64encode(content + _mac(key, content)).decode().rstrip("=")


def link_of(token: str, keys: Sequence[bytes], *, now: datetime) -> AnswerLink:
    """The link of a token that one of the keys has signed; raises NoSuchLink or LinkEnded."""
    signed = urlsafe_b64decode(token + "=" * (-len(token) % 4)) if _is_token(token) else b""
    content, mac = signed[:-MAC_BYTES], signed[-MAC_BYTES:]
    if not any(hmac.compare_digest(_mac(it, content), mac) for it in keys):
        raise NoSuchLink("there is no such link: open it from the message again, and all of it")
    id_bytes, hop, seconds = _HEAD.unpack_from(content)
    rep = content[_HEAD.size :].decode()
    link = AnswerLink(UUID(bytes=id_bytes), hop, rep, datetime.fromtimestamp(seconds, UTC))
    if link.expires_at <= now:
        raise LinkEnded("this link has ended: links work for 14 days; ask operations for a new one")
    return link


def fingerprint(token: str) -> str:
    """A hash of the token for log lines, which never hold the token itself."""
    return sha256(token.encode()).hexdigest()[:16]


def _is_token(token: str) -> bool:
    """Whether the text is base64 as `token_of` writes it: of several texts for the same bytes only one is a token."""
    if not _TOKEN.fullmatch(token) or len(token) % 4 == 1:
        return False
    content = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return urlsafe_b64encode(content).decode().rstrip("=") == token


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, sha256).digest()[:MAC_BYTES]
