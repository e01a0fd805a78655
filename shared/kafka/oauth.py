"""Tokens for SASL's OAUTHBEARER: from a file that another program refreshes, or by OAuth 2.0's client credentials."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
from kafka.errors import SaslAuthenticationFailedError
from kafka.net.sasl.oauth import AbstractTokenProvider

TIMEOUT_S = 3.0
FRESH_SHARE = 0.8
"""A token is used for this share of its life."""
SHORT_LIFE_S = 60.0
"""The life of a token whose server does not say how long it is."""


class TokenFile(AbstractTokenProvider):
    """Reads the token from a file at each new connection; Kubernetes and agents of clouds write such files."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def token(self) -> str:
        """The token that is in the file now."""
        try:
            return self._path.read_text().strip()
        except OSError as error:
            raise SaslAuthenticationFailedError(f"{self._path}: {type(error).__name__}") from None


class ClientCredentials(AbstractTokenProvider):
    """Asks the token endpoint as this client, and uses the token while it is fresh."""

    def __init__(self, url: str, client_id: str, client_secret: str, scope: str | None) -> None:
        self._url = url
        self._credentials = (client_id, client_secret)
        self._fields = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        self._token = ""
        self._fresh_until_s = 0.0
        self._lock = threading.Lock()

    def token(self) -> str:
        """A fresh token. Raises SaslAuthenticationFailedError without one: the connection fails, and is tried again."""
        with self._lock:
            if time.monotonic() >= self._fresh_until_s:
                self._ask()
            return self._token

    def _ask(self) -> None:
        try:
            answer = httpx.post(
                self._url, data=self._fields, auth=self._credentials, timeout=TIMEOUT_S
            )
            fields = answer.raise_for_status().json()
            life_s = float(fields.get("expires_in", SHORT_LIFE_S))
            self._token = str(fields["access_token"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            kind = type(error).__name__
            raise SaslAuthenticationFailedError(f"no token from {self._url}: {kind}") from None
        self._fresh_until_s = time.monotonic() + life_s * FRESH_SHARE
