"""API keys: who calls, and what they may. Only a hash of a key is kept; see docs/decisions."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, case, insert, select, update
from sqlalchemy.orm import Session

from shared.auth.origins import as_compared, normal_origins
from shared.db.tables import api_keys
from shared.errors import Rejected


class KeyScope(StrEnum):
    """What a key opens."""

    INGEST = "ingest"
    REP = "rep"
    OPS = "ops"
    READ = "read"
    """Sees all that ops sees, and changes nothing."""


class UnknownKey(Rejected):
    """There is no key, or it is not one of ours, or it was revoked."""

    code = "unknown_key"
    status = 401


class ExpiredKey(Rejected):
    """The key's time is over."""

    code = "expired_key"
    status = 401


class WrongScope(Rejected):
    """The key is good, but not for this."""

    code = "wrong_scope"
    status = 403


class InactiveRep(Rejected):
    """The key is a rep's who gets no leads any more."""

    code = "inactive_rep"
    status = 403


class BadOrigins(Rejected):
    """The key cannot have, or does not have, these origins of web sites."""

    code = "bad_origins"


NO_SUCH_KEY = "this is no key of this installation: `leadbaton keys list` shows what there is"
_FORM = re.compile(r"lb_[a-z]+_(?P<id>[0-9a-f]{12})_[0-9a-f]{48}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: for ingest the subject is the source, for a rep the rep's id."""

    key_id: str
    scope: KeyScope
    subject: str


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept, without its secret."""

    id: str
    scope: KeyScope
    subject: str
    origins: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    suspended_at: datetime | None

    def check(self, now: datetime) -> None:
        """Raise UnknownKey, ExpiredKey or InactiveRep unless the key is good now."""
        if self.revoked_at is not None and self.revoked_at <= now:
            raise UnknownKey(f"the key {self.id} was revoked: ask for a new one")
        if self.expires_at is not None and self.expires_at <= now:
            raise ExpiredKey(f"the key {self.id} has expired: ask for a new one")
        if self.suspended_at is not None:
            raise InactiveRep(
                f"the rep {self.subject} is not active, and their key {self.id} is suspended: "
                "it works again once an import of reps has them as active"
            )

    def caller(self) -> Caller:
        """Whom the key stands for."""
        return Caller(self.id, self.scope, self.subject)


def digest(key: str) -> bytes:
    """What is kept of a key: it has 192 random bits, so a fast hash is as good as a slow one."""
    return sha256(key.encode()).digest()


def create_key(
    session: Session,
    *,
    scope: KeyScope,
    subject: str,
    now: datetime,
    expires_at: datetime | None = None,
    origins: Sequence[str] = (),
) -> str:
    """A new key, to be shown once: `lb_<scope>_<id>_<secret>`."""
    key_id = secrets.token_hex(6)
    key = f"lb_{scope}_{key_id}_{secrets.token_hex(24)}"
    row = {
        "id": key_id,
        "secret_hash": digest(key),
        "scope": scope.value,
        "subject": subject,
        "origins": list(origins),
        "created_at": now,
        "expires_at": expires_at,
    }
    session.execute(insert(api_keys).values(row))
    return key


def revoke_key(session: Session, key_id: str, *, now: datetime) -> bool:
    """End a key now; False if there is no such key, or it has ended before."""
    statement = (
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(api_keys.c.id)
    )
    return session.execute(statement).first() is not None


def suspend_reps_keys(session: Session, *, active: Collection[str], now: datetime) -> None:
    """Suspend the keys of reps who are not among the active ones, and lift it for those who are."""
    theirs = api_keys.c.subject.in_(active)
    session.execute(
        update(api_keys)
        .where(
            api_keys.c.scope == KeyScope.REP.value, theirs == api_keys.c.suspended_at.is_not(None)
        )
        .values(suspended_at=case((theirs, None), else_=now))
    )


def change_origins(
    session: Session, key_id: str, *, add: Sequence[str], remove: Sequence[str], now: datetime
) -> tuple[str, ...]:
    """The origins of a live ingest key after the change; raises UnknownKey or BadOrigins."""
    row = session.execute(_columns().where(api_keys.c.id == key_id).with_for_update()).one_or_none()
    if row is None:
        raise UnknownKey(f"there is no live key {key_id}: see `leadbaton keys list`")
    key = _key(*row)
    key.check(now)
    if key.scope is not KeyScope.INGEST:
        raise BadOrigins(
            f"pages of web sites send with ingest keys only; {key_id} is of {key.scope}"
        )
    removed = [as_compared(origin) for origin in remove]
    listed = [as_compared(origin) for origin in key.origins]
    if missing := [origin for origin in removed if origin not in listed]:
        raise BadOrigins(f"the key {key_id} has no origin {', '.join(missing)}")
    rest = [origin for origin in listed if origin not in removed]
    try:
        origins = normal_origins([*rest, *add])
    except ValueError as error:
        raise BadOrigins(str(error)) from None
    session.execute(update(api_keys).where(api_keys.c.id == key_id).values(origins=list(origins)))
    return origins


def keys(session: Session) -> list[Key]:
    """Every key there ever was, oldest first."""
    return [
        _key(*row)
        for row in session.execute(_columns().order_by(api_keys.c.created_at, api_keys.c.id))
    ]


def find_key(session: Session, key: str) -> Key:
    """The kept key that this is, good or not; raises UnknownKey."""
    statement = _columns().where(api_keys.c.id == id_in(key), api_keys.c.secret_hash == digest(key))
    row = session.execute(statement).one_or_none()
    if row is None:
        raise UnknownKey(NO_SUCH_KEY)
    return _key(*row)


def id_in(key: str) -> str:
    """The id inside the key; raises UnknownKey for what cannot be a key, whatever characters it has."""
    form = _FORM.fullmatch(key)
    if form is None:
        raise UnknownKey(NO_SUCH_KEY)
    return form["id"]


def find_caller(session: Session, key: str, *, now: datetime) -> Caller:
    """Whom the key stands for; raises UnknownKey, ExpiredKey or InactiveRep."""
    found = find_key(session, key)
    found.check(now)
    return found.caller()


def _columns() -> Select[*tuple[Any, ...]]:
    kept = api_keys.c
    return select(
        kept.id,
        kept.scope,
        kept.subject,
        kept.origins,
        kept.created_at,
        kept.expires_at,
        kept.revoked_at,
        kept.suspended_at,
    )


def _key(key_id: str, scope: str, subject: str, origins: Sequence[str], *times: Any) -> Key:
    return Key(key_id, KeyScope(scope), subject, tuple(origins), *times)
