"""API keys, their scopes and their errors. Only a hash of a key is stored (docs/decisions/010)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from shared.errors import Rejected


class KeyScope(StrEnum):
    """What a key may be used for."""

    INGEST = "ingest"
    REP = "rep"
    OPS = "ops"
    READ = "read"
    """Reads everything that ops reads, and changes nothing."""


class UnknownKey(Rejected):
    """The request has no key, or an unknown one, or one that was revoked."""

    code = "unknown_key"
    status = 401


class ExpiredKey(Rejected):
    """The key has expired."""

    code = "expired_key"
    status = 401


class WrongScope(Rejected):
    """The scope of the key does not allow this operation."""

    code = "wrong_scope"
    status = 403


class InactiveRep(Rejected):
    """The key belongs to a rep who is no longer active."""

    code = "inactive_rep"
    status = 403


class BadOrigins(Rejected):
    """The origins cannot be added to the key, or be removed from it."""

    code = "bad_origins"


NO_SUCH_KEY = "this is not a key of this installation: `leadbaton keys list` shows all keys"
_PATTERN = re.compile(r"lb_[a-z]+_(?P<id>[0-9a-f]{12})_[0-9a-f]{48}")


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of an API. The subject of an ingest key is the source, that of a rep's key the rep's id."""

    key_id: str
    scope: KeyScope
    subject: str


@dataclass(frozen=True, slots=True)
class Key:
    """A stored key, without its secret."""

    id: str
    scope: KeyScope
    subject: str
    origins: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    suspended_at: datetime | None

    def check(self, now: datetime) -> None:
        """Raise UnknownKey, ExpiredKey or InactiveRep unless the key is valid now."""
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
        """The caller that this key identifies."""
        return Caller(self.id, self.scope, self.subject)


def digest(key: str) -> bytes:
    """The stored hash of a key. A key has 192 random bits, so a slow hash would add nothing."""
    return sha256(key.encode()).digest()


def id_in(key: str) -> str:
    """The id inside the key; raises UnknownKey for text that does not have the form of a key."""
    match = _PATTERN.fullmatch(key)
    if match is None:
        raise UnknownKey(NO_SUCH_KEY)
    return match["id"]
