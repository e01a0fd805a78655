"""Sessions of visitors: an encrypted cookie, and the token against forged requests."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from shared.auth.derived_keys import derived_keys
from shared.auth.vault import BadSecretKey

LIFETIME: Final = timedelta(hours=12)
"""A session ends after this time, or before it with its key."""

PURPOSE: Final = b"leadbaton console session"
"""What keeps the cookie's key apart from the key that encrypts webhook secrets."""

TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who has signed in, by which key, until when."""

    key: str
    scope: str
    subject: str
    until: float
    """Seconds since 1970."""
    nonce: str

    @property
    def audience(self) -> str:
        """Whoever sees the same as this visitor: all of ops, or one rep."""
        return f"rep/{self.subject}" if self.scope == "rep" else self.scope

    @property
    def is_ops(self) -> bool:
        """Whether the visitor may do what ops do."""
        return self.scope == "ops"


class Sessions:
    """Writes and reads the cookie; every process with the same secret key reads it."""

    def __init__(self, secret_key: SecretStr | None) -> None:
        keys = derived_keys(secret_key, PURPOSE)
        if not keys:
            raise BadSecretKey(
                "LEADBATON_SECRET_KEY is not set, and the console encrypts its cookies with it: "
                "make one with `leadbaton keys secret` and set it for every process"
            )
        self._fernet = MultiFernet([Fernet(urlsafe_b64encode(it)) for it in keys])
        self._token_key = keys[0]

    def start(self, key: str, scope: str, subject: str, now: datetime) -> Visitor:
        """A visitor whose session begins now."""
        until = (now + LIFETIME).timestamp()
        return Visitor(key, scope, subject, until, secrets.token_hex(16))

    def cookie(self, visitor: Visitor) -> str:
        """The content of the cookie."""
        return self.encrypt(orjson.dumps(asdict(visitor)).decode(), "session")

    def visitor(self, cookie: str | None, now: datetime) -> Visitor | None:
        """The visitor of a cookie, or None if it is none of ours or its time is over."""
        try:
            visitor = Visitor(**orjson.loads(self.decrypt(cookie or "", "session")))
        except (TypeError, orjson.JSONDecodeError):
            return None
        return visitor if visitor.until > now.timestamp() else None

    def encrypt(self, text: str, purpose: str) -> str:
        """The text as a cookie or an address holds it; what visitors write can never be taken for a session."""
        return self._fernet.encrypt(f"{purpose} {text}".encode()).decode()

    def decrypt(self, encrypted: str, purpose: str) -> str:
        """The text that was encrypted for this purpose; empty if it was not."""
        try:
            written_for, _, text = self._fernet.decrypt(encrypted.encode()).decode().partition(" ")
        except (InvalidToken, UnicodeEncodeError):
            return ""
        return text if written_for == purpose else ""

    def token(self, visitor: Visitor) -> str:
        """The token that the forms of a page carry: the session's own, masked anew for each page.

        So no two pages have the same bytes, and what a compressed page weighs tells nothing of the token (BREACH).
        """
        mask = secrets.token_bytes(TOKEN_BYTES)
        return (mask + _xor(mask, self._session_token(visitor))).hex()

    def is_token(self, visitor: Visitor, token: str) -> bool:
        """Whether a form came from a page of this sign-in."""
        try:
            masked = bytes.fromhex(token)
            unmasked = _xor(masked[:TOKEN_BYTES], masked[TOKEN_BYTES:])
        except ValueError:
            return False
        return hmac.compare_digest(self._session_token(visitor), unmasked)

    def _session_token(self, visitor: Visitor) -> bytes:
        return hmac.digest(self._token_key, visitor.nonce.encode(), sha256)


def _xor(mask: bytes, content: bytes) -> bytes:
    """Both combined; raises ValueError where they differ in length."""
    return bytes(left ^ right for left, right in zip(mask, content, strict=True))
