"""Keys for one purpose each, derived from LEADBATON_SECRET_KEY."""

from __future__ import annotations

import hmac
from hashlib import sha256

from pydantic import SecretStr


def derived_keys(secret_key: SecretStr | None, purpose: bytes) -> list[bytes]:
    """32 bytes for this purpose alone from each part of the secret key, the newest first; none without a secret key.

    They are derived as in the expansion of HKDF (RFC 5869).
    """
    parts = "" if secret_key is None else secret_key.get_secret_value()
    return [
        hmac.new(it.strip().encode(), purpose + b"\x01", sha256).digest()
        for it in parts.split(",")
        if it.strip()
    ]
