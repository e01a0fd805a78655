"""API keys: who calls, and what they may. Only a hash of a key is kept; see docs/decisions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

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
_PATTERN = re.compile(r"lb_[a-z]+_(?P<id>[0-9a-f]{12})_[0-9a-f]{48}")


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
    """The hash of a key that is kept: a key has 192 random bits, so a fast hash is as good as a slow one."""
    return sha256(key.encode()).digest()


def id_in(key: str) -> str:
    """The id inside the key; raises UnknownKey for what cannot be a key, whatever characters it has."""
    match = _PATTERN.fullmatch(key)
    if match is None:
        raise UnknownKey(NO_SUCH_KEY)
    return match["id"]
