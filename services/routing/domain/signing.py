"""Standard Webhooks: what a receiver checks to know that a message is ours, and unchanged."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

PREFIX = "whsec_"
BOTH_SIGN_FOR = timedelta(hours=24)
"""So long an old secret signs beside the one that took its place."""
MAX_OLD_SECRETS = 4


@dataclass(frozen=True, slots=True)
class OldSecret:
    """A secret that an endpoint had before, as it is kept: encrypted."""

    secret: bytes
    until: datetime


def signing_still(old: Sequence[OldSecret], *, now: datetime) -> list[OldSecret]:
    """Those of the old secrets whose time is not over."""
    return [it for it in old if it.until > now]


def written(secret: bytes) -> str:
    """A secret as its owner keeps it."""
    return PREFIX + b64encode(secret).decode()


def unwritten(secret: str) -> bytes:
    """The bytes of a secret that was written."""
    return b64decode(secret.removeprefix(PREFIX), validate=True)


def signed_headers(
    secrets: Sequence[bytes], *, id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The three headers of one try: the id of every try, the second of this one, an HMAC of each secret over the exact
    bytes.
    """
    second = str(int(at.timestamp()))
    content = f"{id}.{second}.".encode() + body
    macs = (hmac.new(it, content, hashlib.sha256).digest() for it in secrets)
    return {
        "webhook-id": id,
        "webhook-timestamp": second,
        "webhook-signature": " ".join(f"v1,{b64encode(it).decode()}" for it in macs),
    }
