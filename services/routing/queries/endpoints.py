"""Endpoints: their states, and the secrets with which their webhooks are signed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import Text, any_, delete, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from services.routing.domain.formats import Format
from services.routing.domain.signing import OldSecret
from services.routing.queries.breakers import close_breakers
from services.routing.tables import endpoints

EndpointState = Literal["in_use", "hanging", "failing", "disabled"]


@dataclass(frozen=True, slots=True)
class Secrets:
    """An endpoint's secrets, encrypted."""

    current: bytes
    old: list[OldSecret]


@dataclass(frozen=True, slots=True)
class Keys:
    """An endpoint's private keys of ed25519, encrypted; endpoints have them on request only."""

    current: bytes | None
    old: list[OldSecret]


def old_secrets_of(stored: Sequence[Sequence[str]]) -> list[OldSecret]:
    """The old secrets, or old private keys, from their stored form."""
    return [OldSecret(secret.encode(), datetime.fromisoformat(until)) for secret, until in stored]


def _stored(old: Sequence[OldSecret]) -> list[list[str]]:
    return [[it.secret.decode(), it.until.isoformat()] for it in old]


def locked_secrets(session: Session, id: str) -> Secrets | None:
    """The endpoint's secrets, locked, so that two rotations cannot overlap; None if there is no such endpoint."""
    statement = (
        select(endpoints.c.secret, endpoints.c.old_secrets)
        .where(endpoints.c.id == id)
        .with_for_update()
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else Secrets(row.secret, old_secrets_of(row.old_secrets))


def save_secrets(session: Session, id: str, secrets: Secrets) -> None:
    """Save the secrets."""
    session.execute(
        update(endpoints)
        .where(endpoints.c.id == id)
        .values(secret=secrets.current, old_secrets=_stored(secrets.old))
    )


def locked_keys(session: Session, id: str) -> Keys | None:
    """The endpoint's private keys, locked as `locked_secrets` does; None if there is no such endpoint."""
    statement = (
        select(endpoints.c.private_key, endpoints.c.old_keys)
        .where(endpoints.c.id == id)
        .with_for_update()
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else Keys(row.private_key, old_secrets_of(row.old_keys))


def save_keys(session: Session, id: str, keys: Keys, *, public_key: str) -> None:
    """Save the private keys, and the public key of the current one."""
    session.execute(
        update(endpoints)
        .where(endpoints.c.id == id)
        .values(private_key=keys.current, public_key=public_key, old_keys=_stored(keys.old))
    )


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """An endpoint with its state and the number of webhooks that wait for it."""

    id: str
    host: str
    format: Format
    state: EndpointState
    since: datetime | None
    """Since when it hangs, fails or is disabled."""
    failures: int
    """Failed attempts, one after the other."""
    disabled_reason: str | None
    pending: int
    old_secrets: Sequence[OldSecret]
    public_key: str | None
    """The key that verifies `v1a` signatures; None where the endpoint has no key."""
    old_keys: Sequence[OldSecret]


def list_endpoints(session: Session, id: str | None = None) -> list[EndpointStatus]:
    """Every endpoint, in the order of the ids; or the one with this id."""
    return [
        EndpointStatus(
            **{
                **row,
                "format": Format(row["format"]),
                "old_secrets": old_secrets_of(row["old_secrets"]),
                "old_keys": old_secrets_of(row["old_keys"]),
            }
        )
        for row in session.execute(_ENDPOINTS, {"id": id}).mappings()
    ]


def find_endpoint(session: Session, id: str) -> EndpointStatus | None:
    """The endpoint with this id."""
    return next(iter(list_endpoints(session, id)), None)


class EncryptedAddress(NamedTuple):
    """An endpoint's address with its encrypted URL, of which only the host can be read."""

    url: bytes
    host: str
    format: Format


class StoredAddress(NamedTuple):
    """An endpoint's address as it is stored, and whether the endpoint is disabled."""

    url: bytes
    format: Format
    is_disabled: bool


def stored_addresses(session: Session) -> dict[str, StoredAddress]:
    """The address of each endpoint, by the endpoint's id."""
    statement = select(endpoints.c.id, endpoints.c.url, endpoints.c.format, endpoints.c.disabled_at)
    return {
        row.id: StoredAddress(row.url, Format(row.format), row.disabled_at is not None)
        for row in session.execute(statement)
    }


def add_endpoints(
    session: Session, addresses: Mapping[str, EncryptedAddress], secrets: Mapping[str, bytes]
) -> set[str]:
    """Insert endpoints with their encrypted secrets; the ids of those that did not exist yet."""
    rows = [{"id": id, **it._asdict(), "secret": secrets[id]} for id, it in addresses.items()]
    if not rows:
        return set()
    statement = insert(endpoints).on_conflict_do_nothing().returning(endpoints.c.id)
    return set(session.scalars(statement, rows))


def save_addresses(session: Session, addresses: Mapping[str, EncryptedAddress]) -> None:
    """Save the address of each endpoint, which is used again from now on, also if it was disabled or hung."""
    for id, address in addresses.items():
        session.execute(
            update(endpoints)
            .where(endpoints.c.id == id)
            .values(**address._asdict(), disabled_at=None, disabled_reason=None)
        )
    if addresses:
        close_breakers(session, list(addresses))


def find_encrypted_secret(session: Session) -> bytes | None:
    """The encrypted secret of any endpoint, to check a key with; None without endpoints."""
    return session.scalar(select(endpoints.c.secret).limit(1))


def disabled_endpoints(session: Session) -> dict[str, str]:
    """The ids of disabled endpoints, each with the reason."""
    statement = select(endpoints.c.id, endpoints.c.disabled_reason).where(
        endpoints.c.disabled_at.is_not(None)
    )
    return dict(session.execute(statement).all())


def disable_endpoint(session: Session, id: str, *, reason: str, now: datetime) -> None:
    """Disable the endpoint: nothing is sent to it until an import changes its URL."""
    session.execute(
        update(endpoints)
        .where(endpoints.c.id == id, endpoints.c.disabled_at.is_(None))
        .values(disabled_at=now, disabled_reason=reason)
    )


def enable_endpoint(session: Session, id: str) -> bool:
    """Use the endpoint again, if it is disabled; False if there is no such endpoint."""
    statement = (
        update(endpoints)
        .where(endpoints.c.id == id)
        .values(disabled_at=None, disabled_reason=None)
        .returning(endpoints.c.id)
    )
    enabled = session.scalars(statement).all()
    close_breakers(session, enabled)
    return bool(enabled)


def delete_endpoint(session: Session, id: str) -> bool:
    """Delete the endpoint with its secrets; False if there is no such endpoint."""
    statement = delete(endpoints).where(endpoints.c.id == id).returning(endpoints.c.id)
    deleted = session.scalars(statement).all()
    close_breakers(session, deleted)
    return bool(deleted)


@dataclass(frozen=True, slots=True)
class EndpointTarget:
    """Where webhooks of an endpoint are posted to, in which format, and what signs them; the URL is encrypted."""

    url: bytes
    format: Format
    secrets: Secrets
    keys: Keys


def find_target(session: Session, id: str) -> EndpointTarget | None:
    """The address, the secrets and the private keys of the endpoint."""
    columns = ("url", "format", "secret", "old_secrets", "private_key", "old_keys")
    statement = select(*(endpoints.c[it] for it in columns)).where(endpoints.c.id == id)
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    return EndpointTarget(
        row.url,
        Format(row.format),
        Secrets(row.secret, old_secrets_of(row.old_secrets)),
        Keys(row.private_key, old_secrets_of(row.old_keys)),
    )


def save_url(session: Session, id: str, url: bytes) -> None:
    """Save the URL of the endpoint as it is encrypted now."""
    session.execute(update(endpoints).where(endpoints.c.id == id).values(url=url))


def claim_test(session: Session, id: str, *, pause: timedelta, now: datetime) -> bool:
    """Note that the endpoint is tested now; False if the last test was less than the pause ago."""
    statement = (
        update(endpoints)
        .where(
            endpoints.c.id == id,
            or_(endpoints.c.tested_at.is_(None), endpoints.c.tested_at <= now - pause),
        )
        .values(tested_at=now)
        .returning(endpoints.c.id)
    )
    return session.scalar(statement) is not None


def known_endpoints(session: Session, ids: Collection[str]) -> set[str]:
    """Those of the endpoints that exist."""
    wanted_ids = any_(literal(list(ids), ARRAY(Text)))
    return set(session.scalars(select(endpoints.c.id).where(endpoints.c.id == wanted_ids)))


_ENDPOINTS = text("""
    select endpoints.id, endpoints.host, endpoints.format, endpoints.disabled_reason, endpoints.old_secrets,
        endpoints.public_key, endpoints.old_keys,
        case
            when endpoints.disabled_at is not null then 'disabled'
            when shared.id is not null or own.opened_at is not null and own.hangs then 'hanging'
            when own.opened_at is not null then 'failing'
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
    where cast(:id as text) is null or endpoints.id = :id
    order by endpoints.id
""")
