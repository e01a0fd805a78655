"""The route by which the console turns a sign-in link into a key."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.routing.handlers.sign_in import on_sign_in
from shared.auth.keys import InactiveRep, KeyScope
from shared.auth.sign_in import MAX_TOKEN_CHARACTERS, SpentLink
from shared.http.dependencies import Now, Tx
from shared.http.parameters import PlainText
from shared.http.problems import problems

PATH = "/sign-in"

router = APIRouter()


class SignInIn(BaseModel):
    """The token of a link that `leadbaton console link` printed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"token": "xjzQhQ0nPSVk4MhTn4Ow3WqRfMZ9cGQJm5nq2hYtG1s"}]},
    )

    token: Annotated[PlainText, Field(min_length=1, max_length=MAX_TOKEN_CHARACTERS)] = Field(
        description="The link's `token`."
    )


class SignInOut(BaseModel):
    """The key that the link gave; it is shown here and never again."""

    model_config = ConfigDict(from_attributes=True)

    key: str
    scope: KeyScope
    subject: str = Field(description="The rep's id, or the name of the ops user.")
    expires_at: datetime = Field(description="When the key ends: 12 hours after the sign-in.")


@router.post(PATH, responses=problems(SpentLink, InactiveRep))
def sign_in(session: Tx, now: Now, body: SignInIn) -> SignInOut:
    """Redeem a sign-in link, once, within five minutes. It takes no key, and gives one."""
    return SignInOut.model_validate(on_sign_in(session, body.token, now=now))
