"""Standard Webhooks: what a receiver checks to know that a message is ours, and unchanged."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from datetime import datetime

PREFIX = "whsec_"


def written(secret: bytes) -> str:
    """A secret as its owner keeps it."""
    return PREFIX + b64encode(secret).decode()


def unwritten(secret: str) -> bytes:
    """The bytes of a secret that was written."""
    return b64decode(secret.removeprefix(PREFIX), validate=True)


def signed_headers(secret: bytes, *, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of one try: the id of every try, the second of this one, the HMAC over the exact bytes."""
    second = str(int(at.timestamp()))
    mac = hmac.new(secret, f"{id}.{second}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": id,
        "webhook-timestamp": second,
        "webhook-signature": f"v1,{b64encode(mac).decode()}",
    }
