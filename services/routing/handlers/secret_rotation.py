"""Rotation of an endpoint's secret: the old one signs beside the new one for a day."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain.endpoints import UnknownEndpoint
from services.routing.domain.signing import (
    MAX_OLD_SECRETS,
    OLD_SECRET_SIGNS_FOR,
    OldSecret,
    encode_secret,
    still_signing,
)
from services.routing.handlers.roster_import import SECRET_BYTES
from services.routing.queries import endpoints
from services.routing.queries.endpoints import Secrets
from shared.auth.vault import BadSecretKey, Vault
from shared.errors import Rejected


class TooManySecrets(Rejected):
    """The secret was changed too often within a day, and every old one still signs."""

    code = "too_many_secrets"
    status = 409


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new secret. It is returned here and never shown again."""

    secret: str
    old_secret_until: datetime | None
    """Until when the old secret signs too; None where it cannot be decrypted, so that only the new one signs."""


def rotate_secret(session: Session, id: str, *, vault: Vault, now: datetime) -> Rotation:
    """Give the endpoint a new secret."""
    stored = endpoints.locked_secrets(session, id)
    if stored is None:
        raise UnknownEndpoint(id)
    old = still_signing(stored.old, now=now)
    old_secret_until = None
    if _is_readable(stored.current, vault):
        old_secret_until = now + OLD_SECRET_SIGNS_FOR
        old = [OldSecret(stored.current, old_secret_until), *old]
    if len(old) > MAX_OLD_SECRETS:
        raise TooManySecrets(
            f"the secret of {id} was changed {MAX_OLD_SECRETS} times in a day, and each old one signs for 24 hours; "
            f"try again after {old[-1].until:%Y-%m-%d %H:%M} UTC"
        )
    secret = secrets.token_bytes(SECRET_BYTES)
    endpoints.save_secrets(session, id, Secrets(vault.encrypt(secret), old))
    return Rotation(encode_secret(secret), old_secret_until)


def _is_readable(secret: bytes, vault: Vault) -> bool:
    try:
        vault.decrypt(secret)
    except BadSecretKey:
        return False
    return True
