"""Sign-in to the console: a link becomes a key, unless its rep is not active any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.queries import reps
from shared.auth.keys import InactiveRep, KeyScope
from shared.auth.sign_in import SignIn, redeem_link


def on_sign_in(session: Session, token: str, *, now: datetime) -> SignIn:
    """The key that the link gives; raises SpentLink or InactiveRep. No import of reps changes the rep meanwhile."""
    sign_in = redeem_link(session, token, now=now)
    if sign_in.scope is KeyScope.REP and not reps.locked_activity(session, sign_in.subject):
        raise InactiveRep(
            f"the rep {sign_in.subject} is not active any more: an import of reps that has them as active comes first"
        )
    return sign_in
