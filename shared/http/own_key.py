"""What the caller's own key is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from shared.auth.keys import ExpiredKey, InactiveRep, Key, KeyScope, UnknownKey
from shared.http.dependencies import stored_key
from shared.http.problems import problems

router = APIRouter()


class KeyOut(BaseModel):
    """A key, without its secret."""

    id: str = Field(description="The public part of the key, as `leadbaton keys list` shows it.")
    scope: KeyScope
    subject: str = Field(
        description="Of scope `ingest` the source, of `rep` the rep's id, else the owner's name."
    )
    expires_at: datetime | None = Field(description="When the key ends; null if it does not.")


@router.get("/key", responses=problems(UnknownKey, ExpiredKey, InactiveRep))
def own_key(key: Annotated[Key, Depends(stored_key)]) -> KeyOut:
    """The key of the request as it is at this moment: what it is for, and how long it lasts."""
    return KeyOut(id=key.id, scope=key.scope, subject=key.subject, expires_at=key.expires_at)
