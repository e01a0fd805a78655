"""Secrets at rest: encrypted with the installation's key, or not kept at all."""

from __future__ import annotations

from typing import ClassVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from shared.errors import Rejected


class BadSecretKey(Rejected):
    """LEADBATON_SECRET_KEY is missing, is no key, or is not the one that a secret was encrypted with."""

    code: ClassVar[str] = "bad_secret_key"
    status: ClassVar[int] = 500


class Vault:
    """Encrypts with the first of the keys and decrypts with any, so that a key can be changed in two steps."""

    def __init__(self, key: SecretStr | None) -> None:
        if key is None or not key.get_secret_value().strip():
            raise BadSecretKey(
                "LEADBATON_SECRET_KEY is not set, and webhook secrets are encrypted with it: "
                "make one with `leadbaton keys secret` and give it to every process"
            )
        try:
            keys = [Fernet(it.strip()) for it in key.get_secret_value().split(",")]
        except ValueError:
            raise BadSecretKey(
                "LEADBATON_SECRET_KEY is not 32 bytes as url-safe base64 (or several, separated by commas, "
                "the newest first): make one with `leadbaton keys secret`"
            ) from None
        self._fernet = MultiFernet(keys)

    def encrypt(self, secret: bytes) -> bytes:
        """As it may lie in the database."""
        return self._fernet.encrypt(secret)

    def decrypt(self, encrypted: bytes) -> bytes:
        """As it was; raises BadSecretKey if another key encrypted it."""
        try:
            return self._fernet.decrypt(encrypted)
        except InvalidToken:
            raise BadSecretKey(
                "LEADBATON_SECRET_KEY is not the key that this secret was encrypted with: "
                "set the one that was used before, if need be after the new one and a comma"
            ) from None
