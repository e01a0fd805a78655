"""The SQL of API keys and of the links that sign somebody in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, case, delete, insert, select, update
from sqlalchemy.orm import Session

from shared.auth.keys import NO_SUCH_KEY, Key, KeyScope, UnknownKey, digest, id_in
from shared.db.tables import api_keys, sign_in_links


class SignInLink(NamedTuple):
    """Whom a sign-in link signs in."""

    scope: KeyScope
    subject: str


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


def delete_key(session: Session, key_id: str) -> None:
    """Delete a key, which leaves no trace of it: only for one that nobody was shown."""
    session.execute(delete(api_keys).where(api_keys.c.id == key_id))


def delete_expired_keys(session: Session, *, subject: str, now: datetime) -> None:
    """Delete the keys of this subject that have expired."""
    columns = api_keys.c
    session.execute(delete(api_keys).where(columns.subject == subject, columns.expires_at <= now))


def suspend_reps_keys(session: Session, *, active: Collection[str], now: datetime) -> None:
    """Suspend the keys of reps who are not active, and end the suspension of those who are."""
    is_active = api_keys.c.subject.in_(active)
    is_suspended = api_keys.c.suspended_at.is_not(None)
    session.execute(
        update(api_keys)
        .where(api_keys.c.scope == KeyScope.REP.value, is_active == is_suspended)
        .values(suspended_at=case((is_active, None), else_=now))
    )


def add_sign_in_link(
    session: Session,
    token_hash: bytes,
    *,
    scope: KeyScope,
    subject: str,
    created_at: datetime,
    expires_at: datetime,
) -> None:
    """Add a link that is not used yet."""
    row = {
        "token_hash": token_hash,
        "scope": scope.value,
        "subject": subject,
        "created_at": created_at,
        "expires_at": expires_at,
    }
    session.execute(insert(sign_in_links).values(row))


def claim_sign_in_link(session: Session, token_hash: bytes, *, now: datetime) -> SignInLink | None:
    """Mark the link as used; None if there is no such link, or it was used or has expired.

    Of several at once the first one gets it: the others wait for its row and find it used.
    """
    columns = sign_in_links.c
    statement = (
        update(sign_in_links)
        .where(
            columns.token_hash == token_hash, columns.used_at.is_(None), columns.expires_at > now
        )
        .values(used_at=now)
        .returning(columns.scope, columns.subject)
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else SignInLink(KeyScope(row.scope), row.subject)


def save_key_of_link(session: Session, token_hash: bytes, key_id: str) -> None:
    """Save which key the link gave."""
    of_link = sign_in_links.c.token_hash == token_hash
    session.execute(update(sign_in_links).where(of_link).values(key_id=key_id))


def delete_ended_sign_ins(session: Session, *, links_before: datetime, now: datetime) -> None:
    """Delete links that expired before this instant, and their keys that have expired."""
    links = sign_in_links.c
    ended = links.expires_at <= links_before
    session.execute(
        delete(api_keys).where(
            api_keys.c.id.in_(select(links.key_id).where(ended)), api_keys.c.expires_at <= now
        )
    )
    session.execute(delete(sign_in_links).where(ended))


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
