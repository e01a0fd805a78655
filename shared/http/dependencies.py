"""The dependencies of routes: a transaction, the present instant, and the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from shared.auth.key_cache import KeyCache
from shared.auth.keys import Caller, Key, KeyScope, WrongScope
from shared.clock import TimeSource
from shared.db.session import Sessions
from shared.http.headers import presented_key

BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key of `leadbaton keys create`. "
    "It may also be the user name of Basic authentication, or the header `X-Write-Key`.",
)


def open_session(request: Request) -> Iterator[Session]:
    """A session whose transaction commits when the route returns."""
    sessions: Sessions = request.app.state.sessions
    with sessions.begin() as session:
        yield session


def present_instant(request: Request) -> datetime:
    """The present instant by the app's time source."""
    time_source: TimeSource = request.app.state.time_source
    return time_source()


def valid_key(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
) -> Key:
    """The request's key, of any scope; raises UnknownKey, ExpiredKey or InactiveRep."""
    keys: KeyCache = request.app.state.keys
    return keys.key(presented_key(request.scope))


def stored_key(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
) -> Key:
    """The request's key as it is now: a key that was revoked a moment ago is refused."""
    keys: KeyCache = request.app.state.keys
    return keys.stored_key(presented_key(request.scope))


def authorize(key: Key, *scopes: KeyScope) -> Caller:
    """The caller, if the key has one of the scopes; raises WrongScope."""
    if key.scope not in scopes:
        raise WrongScope(
            f"a key of scope {key.scope} may not do this: it takes a key of scope {' or '.join(scopes)}"
        )
    return key.caller()


def requires(*scopes: KeyScope) -> Callable[..., Caller]:
    """A dependency that returns the caller and refuses keys of other scopes."""

    def authorized_caller(
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
    ) -> Caller:
        return authorize(valid_key(request, credentials), *scopes)

    return authorized_caller


# scope="function" commits before the response is sent; FastAPI's default answers 2xx first and commits after.
Tx = Annotated[Session, Depends(open_session, scope="function")]
Now = Annotated[datetime, Depends(present_instant)]
Ops = Annotated[Caller, Depends(requires(KeyScope.OPS))]
Rep = Annotated[Caller, Depends(requires(KeyScope.REP))]
Ingest = Annotated[Caller, Depends(requires(KeyScope.INGEST))]
OpsOrRead = Annotated[Caller, Depends(requires(KeyScope.OPS, KeyScope.READ))]
AnyReader = Annotated[Caller, Depends(requires(KeyScope.OPS, KeyScope.READ, KeyScope.REP))]
OpsOrRep = Annotated[Caller, Depends(requires(KeyScope.OPS, KeyScope.REP))]
