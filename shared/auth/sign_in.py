"""Sign-in to the console with a link: it opens once, within five minutes, and gives a key for half a day."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy.orm import Session

from shared.auth import queries
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope, digest, id_in
from shared.errors import Rejected

LINK_IS_VALID_FOR = timedelta(minutes=5)
KEY_IS_VALID_FOR = timedelta(hours=12)
TOKEN_BYTES = 32
"""256 random bits: no number of guesses finds a token, so guesses are not counted."""

MAX_TOKEN_CHARACTERS = 100


class SpentLink(Rejected):
    """The sign-in link is none of this installation, was used before, or is older than five minutes."""

    code: ClassVar[str] = "spent_link"
    status: ClassVar[int] = 410


@dataclass(frozen=True, slots=True)
class SignIn:
    """A key that a sign-in link gave. It is returned here and never shown again."""

    key: str
    scope: KeyScope
    subject: str
    expires_at: datetime


def create_link(session: Session, *, scope: KeyScope, subject: str, now: datetime) -> str:
    """Add a link and return its token, of which only a hash is stored.

    Links that have ended are deleted, and so are their keys.
    """
    queries.delete_ended_sign_ins(session, links_before=now - KEY_IS_VALID_FOR, now=now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    queries.add_sign_in_link(
        session,
        digest(token),
        scope=scope,
        subject=subject,
        created_at=now,
        expires_at=now + LINK_IS_VALID_FOR,
    )
    return token


def redeem_link(session: Session, token: str, *, now: datetime) -> SignIn:
    """Use the link and create its key; raises SpentLink.

    A link is found by the hash of its token, so that the time of a refusal says nothing about tokens that exist.
    """
    link = queries.claim_sign_in_link(session, digest(token), now=now)
    if link is None:
        raise SpentLink(
            "this link does not sign in (any more): it works once, within five minutes; "
            "`leadbaton console link` prints a new one"
        )
    expires_at = now + KEY_IS_VALID_FOR
    key = create_key(
        session, scope=link.scope, subject=link.subject, now=now, expires_at=expires_at
    )
    queries.save_key_of_link(session, digest(token), id_in(key))
    return SignIn(key, link.scope, link.subject, expires_at)
