"""Endpoints: whether they answer, and the secrets that sign what they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text, update
from sqlalchemy.orm import Session

from services.routing.domain.signing import OldSecret
from services.routing.tables import endpoints


@dataclass(frozen=True, slots=True)
class Secrets:
    """An endpoint's secrets, encrypted."""

    current: bytes
    old: list[OldSecret]


def old_secrets_of(kept: Sequence[Sequence[str]]) -> list[OldSecret]:
    """The old secrets as a row has them."""
    return [OldSecret(secret.encode(), datetime.fromisoformat(until)) for secret, until in kept]


def locked_secrets(session: Session, id: str) -> Secrets | None:
    """The endpoint's secrets, locked, so that two rotations follow one another; None if there is no such endpoint."""
    statement = (
        select(endpoints.c.secret, endpoints.c.old_secrets)
        .where(endpoints.c.id == id)
        .with_for_update()
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else Secrets(row.secret, old_secrets_of(row.old_secrets))


def save_secrets(session: Session, id: str, secrets: Secrets) -> None:
    """Keep the secrets as they are now."""
    old = [[it.secret.decode(), it.until.isoformat()] for it in secrets.old]
    session.execute(
        update(endpoints)
        .where(endpoints.c.id == id)
        .values(secret=secrets.current, old_secrets=old)
    )


def list_endpoints(session: Session) -> list[Row[Any]]:
    """Every endpoint: where it is, whether it answers, what waits for it."""
    return list(session.execute(_ENDPOINTS))


_ENDPOINTS = text("""
    select endpoints.id, endpoints.host, endpoints.disabled_because, endpoints.old_secrets,
        case
            when endpoints.disabled_at is not null then 'disabled'
            when own.id is not null or shared.id is not null then 'hanging'
            else 'in_use'
        end as state,
        coalesce(endpoints.disabled_at, least(own.opened_at, shared.opened_at)) as since,
        coalesce(greatest(own.failures, shared.failures), 0) as failures,
        (
            select count(*) from routing.deliveries
            where deliveries.endpoint = endpoints.id and deliveries.state = 'pending'
        ) as pending
    from routing.endpoints
    left join routing.breakers as own on own.id = endpoints.id
    left join routing.breakers as shared on shared.id = 'host/' || endpoints.host
    order by endpoints.id
""")
