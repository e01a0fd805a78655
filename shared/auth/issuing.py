"""Creates keys, and changes the origins of web sites that a key allows."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from shared.auth import queries
from shared.auth.keys import BadOrigins, Key, KeyScope, UnknownKey, digest
from shared.auth.origins import comparable_origin, normal_origins


def create_key(
    session: Session,
    *,
    scope: KeyScope,
    subject: str,
    now: datetime,
    expires_at: datetime | None = None,
    origins: Sequence[str] = (),
) -> str:
    """Add a key and return it as `lb_<scope>_<id>_<secret>`. It cannot be read again: only a hash is stored."""
    key_id = secrets.token_hex(6)
    key = f"lb_{scope}_{key_id}_{secrets.token_hex(24)}"
    queries.add_key(
        session,
        Key(
            id=key_id,
            scope=scope,
            subject=subject,
            origins=tuple(origins),
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
            suspended_at=None,
        ),
        digest(key),
    )
    return key


def change_origins(
    session: Session, key_id: str, *, add: Sequence[str], remove: Sequence[str], now: datetime
) -> tuple[str, ...]:
    """Change the origins of a live ingest key and return them; raises UnknownKey or BadOrigins."""
    key = queries.locked_key(session, key_id)
    if key is None:
        raise UnknownKey(f"there is no live key {key_id}: see `leadbaton keys list`")
    key.check(now)
    origins = _changed_origins(key, add=add, remove=remove)
    queries.save_origins(session, key_id, origins)
    return origins


def _changed_origins(key: Key, *, add: Sequence[str], remove: Sequence[str]) -> tuple[str, ...]:
    if key.scope is not KeyScope.INGEST:
        raise BadOrigins(
            f"pages of web sites send with ingest keys only; {key.id} is of {key.scope}"
        )
    removed = [comparable_origin(origin) for origin in remove]
    present = [comparable_origin(origin) for origin in key.origins]
    if missing := [origin for origin in removed if origin not in present]:
        raise BadOrigins(f"the key {key.id} has no origin {', '.join(missing)}")
    kept = [origin for origin in present if origin not in removed]
    try:
        return normal_origins([*kept, *add])
    except ValueError as error:
        raise BadOrigins(str(error)) from None
