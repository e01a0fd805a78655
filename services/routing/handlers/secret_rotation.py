"""An endpoint gets a new secret; the old one signs beside it for a day."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain.signing import (
    BOTH_SIGN_FOR,
    MAX_OLD_SECRETS,
    OldSecret,
    encode_secret,
    still_signing,
)
from services.routing.handlers.roster_import import SECRET_BYTES
from services.routing.queries import endpoints
from services.routing.queries.endpoints import Secrets
from shared.auth.vault import BadSecretKey, Vault
from shared.errors import Rejected


class UnknownEndpoint(Rejected):
    """There is no such endpoint."""

    code = "unknown_endpoint"
    status = 404


class TooManySecrets(Rejected):
    """The secret was changed too often in a day: each of the old ones signs still."""

    code = "too_many_secrets"
    status = 409


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new secret, shown here and never again."""

    secret: str
    both_until: datetime | None
    """Until when the old secret signs too; None where it cannot be read, so that only the new one signs."""


def rotate_secret(session: Session, id: str, *, vault: Vault, now: datetime) -> Rotation:
    """Give the endpoint a new secret."""
    held = endpoints.locked_secrets(session, id)
    if held is None:
        raise UnknownEndpoint(
            f"no endpoint {id!r}: `leadbaton endpoints list` and GET /v1/endpoints show what there is"
        )
    old = still_signing(held.old, now=now)
    both_until = None
    if _is_readable(held.current, vault):
        both_until = now + BOTH_SIGN_FOR
        old = [OldSecret(held.current, both_until), *old]
    if len(old) > MAX_OLD_SECRETS:
        raise TooManySecrets(
            f"the secret of {id} was changed {MAX_OLD_SECRETS} times in a day, and each old one signs for 24 hours: "
            f"try again after {old[-1].until:%Y-%m-%d %H:%M} UTC"
        )
    secret = secrets.token_bytes(SECRET_BYTES)
    endpoints.save_secrets(session, id, Secrets(vault.encrypt(secret), old))
    return Rotation(encode_secret(secret), both_until)


def _is_readable(secret: bytes, vault: Vault) -> bool:
    try:
        vault.decrypt(secret)
    except BadSecretKey:
        return False
    return True
