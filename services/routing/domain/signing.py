"""Standard Webhooks: the headers by which a receiver verifies a webhook."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX = "whsec_"
PUBLIC_KEY_PREFIX = "whpk_"
OLD_SECRET_SIGNS_FOR = timedelta(hours=24)
"""How long an old secret or private key signs beside the one that replaced it."""
MAX_OLD_SECRETS = 4


@dataclass(frozen=True, slots=True)
class OldSecret:
    """An earlier secret or private key of an endpoint, encrypted, and when it stops to sign."""

    secret: bytes
    until: datetime


class Signers(NamedTuple):
    """What signs the webhooks of an endpoint at an instant, decrypted: the newest first."""

    secrets: Sequence[bytes]
    keys: Sequence[bytes] = ()
    """Private keys of ed25519, 32 bytes each; an endpoint has them on request."""


def still_signing(old: Sequence[OldSecret], *, now: datetime) -> list[OldSecret]:
    """The old secrets that still sign."""
    return [it for it in old if it.until > now]


def encode_secret(secret: bytes) -> str:
    """The secret as text, as the owner of the endpoint stores it."""
    return PREFIX + b64encode(secret).decode()


def encode_public_key(key: bytes) -> str:
    """The public key of a private key as text, as receivers verify `v1a` signatures with it."""
    public_key = Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
    return PUBLIC_KEY_PREFIX + b64encode(public_key).decode()


def signed_headers(
    secrets: Sequence[bytes],
    *,
    id: str,
    at: datetime,
    body: bytes,
    keys: Sequence[bytes] = (),
) -> dict[str, str]:
    """The three headers of one attempt: the delivery's id, the Unix time in seconds, and the signatures.

    Each secret gives one of version `v1` (HMAC-SHA256), each private key one of version `v1a` (ed25519).
    """
    second = str(int(at.timestamp()))
    content = f"{id}.{second}.".encode() + body
    signatures = [("v1", hmac.new(it, content, hashlib.sha256).digest()) for it in secrets]
    signatures += [("v1a", Ed25519PrivateKey.from_private_bytes(it).sign(content)) for it in keys]
    return {
        "webhook-id": id,
        "webhook-timestamp": second,
        "webhook-signature": " ".join(
            f"{version},{b64encode(it).decode()}" for version, it in signatures
        ),
    }
