"""HTTP to servers on loopback: a client that reads no certificates is made in 1 ms, any other in 40 ms."""

from __future__ import annotations

import ssl

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody, for `verify` of httpx where a test makes many clients or asks again and again."""
