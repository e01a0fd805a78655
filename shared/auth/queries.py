"""The SQL of API keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, insert, select, update
from sqlalchemy.orm import Session

from shared.auth.keys import NO_SUCH_KEY, Key, KeyScope, UnknownKey, digest, id_in
from shared.db.tables import api_keys


def key_of(session: Session, key: str) -> Key:
    """The stored key, valid or not; raises UnknownKey."""
    statement = _keys().where(api_keys.c.id == id_in(key), api_keys.c.secret_hash == digest(key))
    row = session.execute(statement).mappings().one_or_none()
    if row is None:
        raise UnknownKey(NO_SUCH_KEY)
    return _key(row)


def locked_key(session: Session, key_id: str) -> Key | None:
    """The key of this id, locked until the transaction ends."""
    statement = _keys().where(api_keys.c.id == key_id).with_for_update()
    row = session.execute(statement).mappings().one_or_none()
    return None if row is None else _key(row)


def keys(session: Session) -> list[Key]:
    """All keys, also those that have ended, oldest first."""
    statement = _keys().order_by(api_keys.c.created_at, api_keys.c.id)
    return [_key(row) for row in session.execute(statement).mappings()]


def add_key(session: Session, key: Key, secret_hash: bytes) -> None:
    """Add a key that is neither revoked nor suspended."""
    row = {
        "id": key.id,
        "secret_hash": secret_hash,
        "scope": key.scope.value,
        "subject": key.subject,
        "origins": list(key.origins),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }
    session.execute(insert(api_keys).values(row))


def save_origins(session: Session, key_id: str, origins: Sequence[str]) -> None:
    """Replace the origins of a key."""
    session.execute(update(api_keys).where(api_keys.c.id == key_id).values(origins=list(origins)))


def revoke_key(session: Session, key_id: str, *, now: datetime) -> bool:
    """Revoke a key; False if there is no such key, or it was revoked before."""
    statement = (
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(api_keys.c.id)
    )
    return session.execute(statement).first() is not None


def suspend_reps_keys(session: Session, *, active: Collection[str], now: datetime) -> None:
    """Suspend the keys of reps who are not active, and end the suspension of those who are."""
    is_active = api_keys.c.subject.in_(active)
    is_suspended = api_keys.c.suspended_at.is_not(None)
    session.execute(
        update(api_keys)
        .where(api_keys.c.scope == KeyScope.REP.value, is_active == is_suspended)
        .values(suspended_at=case((is_active, None), else_=now))
    )


def _keys() -> Select[*tuple[Any, ...]]:
    columns = api_keys.c
    return select(
        columns.id,
        columns.scope,
        columns.subject,
        columns.origins,
        columns.created_at,
        columns.expires_at,
        columns.revoked_at,
        columns.suspended_at,
    )


def _key(row: Mapping[Any, Any]) -> Key:
    return Key(**{**row, "scope": KeyScope(row["scope"]), "origins": tuple(row["origins"])})
