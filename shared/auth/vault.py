"""Encryption of stored secrets with the key of the installation."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from shared.errors import Rejected

MAX_CACHED: Final = 4_096
"""How many decrypted secrets a process keeps: decrypting takes as long as signing a webhook many times."""


class BadSecretKey(Rejected):
    """LEADBATON_SECRET_KEY is missing, is invalid, or is not the key that a secret was encrypted with."""

    code: ClassVar[str] = "bad_secret_key"
    status: ClassVar[int] = 500


class Vault:
    """Encrypts with the first key and decrypts with any of them, so that a key can be replaced in two steps."""

    def __init__(self, key: SecretStr | None) -> None:
        if key is None or not key.get_secret_value().strip():
            raise BadSecretKey(
                "LEADBATON_SECRET_KEY is not set, and webhook secrets are encrypted with it: "
                "make one with `leadbaton keys secret` and set it for every process"
            )
        try:
            keys = [Fernet(it.strip()) for it in key.get_secret_value().split(",")]
        except ValueError:
            raise BadSecretKey(
                "LEADBATON_SECRET_KEY is not 32 bytes as url-safe base64 (or several, separated by commas, "
                "the newest first): make one with `leadbaton keys secret`"
            ) from None
        self._fernet = MultiFernet(keys)
        self._decrypt = lru_cache(MAX_CACHED)(self._fernet.decrypt)

    def encrypt(self, secret: bytes) -> bytes:
        """The secret in the form that the database stores."""
        return self._fernet.encrypt(secret)

    def decrypt(self, encrypted: bytes) -> bytes:
        """The secret in plain; raises BadSecretKey if it was encrypted with another key."""
        try:
            return self._decrypt(encrypted)
        except InvalidToken:
            raise BadSecretKey(
                "LEADBATON_SECRET_KEY is not the key that this secret was encrypted with: "
                "set the former key, or both: the new one, a comma, the former one"
            ) from None
