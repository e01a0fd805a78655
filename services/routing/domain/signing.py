"""Standard Webhooks: the headers by which a receiver verifies a webhook."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

PREFIX = "whsec_"
OLD_SECRET_SIGNS_FOR = timedelta(hours=24)
"""How long an old secret signs beside the one that replaced it."""
MAX_OLD_SECRETS = 4


@dataclass(frozen=True, slots=True)
class OldSecret:
    """An earlier secret of an endpoint, encrypted, and when it stops to sign."""

    secret: bytes
    until: datetime


def still_signing(old: Sequence[OldSecret], *, now: datetime) -> list[OldSecret]:
    """The old secrets that still sign."""
    return [it for it in old if it.until > now]


def encode_secret(secret: bytes) -> str:
    """The secret as text, as the owner of the endpoint stores it."""
    return PREFIX + b64encode(secret).decode()


def signed_headers(
    secrets: Sequence[bytes], *, id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The three headers of one attempt: the delivery's id, the Unix time in seconds, one HMAC for each secret."""
    second = str(int(at.timestamp()))
    content = f"{id}.{second}.".encode() + body
    macs = (hmac.new(it, content, hashlib.sha256).digest() for it in secrets)
    return {
        "webhook-id": id,
        "webhook-timestamp": second,
        "webhook-signature": " ".join(f"v1,{b64encode(it).decode()}" for it in macs),
    }
