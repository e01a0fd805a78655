"""Rotation of an endpoint's secret or ed25519 key: the old one signs beside the new one for a day."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain.endpoints import UnknownEndpoint
from services.routing.domain.signing import (
    MAX_OLD_SECRETS,
    OLD_SECRET_SIGNS_FOR,
    OldSecret,
    encode_public_key,
    encode_secret,
    still_signing,
)
from services.routing.handlers.endpoint_addresses import SECRET_BYTES
from services.routing.queries import endpoints
from services.routing.queries.endpoints import Keys, Secrets
from shared.auth.vault import BadSecretKey, Vault
from shared.errors import Rejected


class TooManySecrets(Rejected):
    """The secret or key was changed too often within a day, and every old one still signs."""

    code = "too_many_secrets"
    status = 409


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new secret. It is returned here and never shown again."""

    secret: str
    old_secret_until: datetime | None
    """Until when the old secret signs too; None where it cannot be decrypted, so that only the new one signs."""


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """A new ed25519 key, by its public key. The private key never leaves the vault."""

    public_key: str
    old_key_until: datetime | None
    """Until when the old key signs too; None where there is none, or it cannot be decrypted."""


def rotate_secret(session: Session, id: str, *, vault: Vault, now: datetime) -> Rotation:
    """Give the endpoint a new secret. Its URL is encrypted anew, so that an old key is of no more use."""
    stored = endpoints.locked_secrets(session, id)
    if stored is None:
        raise UnknownEndpoint(id)
    old, until = _old_after(stored.current, stored.old, vault=vault, now=now)
    if len(old) > MAX_OLD_SECRETS:
        raise _too_many(f"the secret of {id}", old)
    secret = secrets.token_bytes(SECRET_BYTES)
    endpoints.save_secrets(session, id, Secrets(vault.encrypt(secret), old))
    target = endpoints.find_target(session, id)
    if target is not None and _is_readable(target.url, vault):
        endpoints.save_url(session, id, vault.encrypt(vault.decrypt(target.url)))
    return Rotation(encode_secret(secret), until)


def rotate_key(session: Session, id: str, *, vault: Vault, now: datetime) -> KeyRotation:
    """Give the endpoint a new ed25519 key, its first or another one: each webhook has a `v1a` signature then."""
    stored = endpoints.locked_keys(session, id)
    if stored is None:
        raise UnknownEndpoint(id)
    old, until = _old_after(stored.current, stored.old, vault=vault, now=now)
    if len(old) > MAX_OLD_SECRETS:
        raise _too_many(f"the key of {id}", old)
    key = secrets.token_bytes(SECRET_BYTES)
    public_key = encode_public_key(key)
    endpoints.save_keys(session, id, Keys(vault.encrypt(key), old), public_key=public_key)
    return KeyRotation(public_key, until)


def _old_after(
    current: bytes | None, old: Sequence[OldSecret], *, vault: Vault, now: datetime
) -> tuple[list[OldSecret], datetime | None]:
    """The old ones once another replaces the current one, the newest first, and until when the current one signs.

    A current one that cannot be decrypted is dropped.
    """
    older = still_signing(old, now=now)
    if current is None or not _is_readable(current, vault):
        return older, None
    until = now + OLD_SECRET_SIGNS_FOR
    return [OldSecret(current, until), *older], until


def _too_many(subject: str, old: Sequence[OldSecret]) -> TooManySecrets:
    return TooManySecrets(
        f"{subject} was changed {MAX_OLD_SECRETS} times in a day, and each old one signs for 24 hours; "
        f"try again after {old[-1].until:%Y-%m-%d %H:%M} UTC"
    )


def _is_readable(secret: bytes, vault: Vault) -> bool:
    try:
        vault.decrypt(secret)
    except BadSecretKey:
        return False
    return True
