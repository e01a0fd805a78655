"""Addresses of endpoints: those of an import, and one that ops save by itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from sqlalchemy.orm import Session

from services.routing.domain.endpoints import Address, NoAddress, NobodysEndpoint, host_of
from services.routing.domain.formats import Format
from services.routing.domain.signing import encode_secret
from services.routing.queries import endpoints, reps
from services.routing.queries.endpoints import EncryptedAddress, StoredAddress
from shared.agreement.store import Agreements
from shared.auth.vault import BadSecretKey, Vault

SECRET_BYTES = 32


def save_addresses(
    session: Session, addresses: Mapping[str, Address], *, vault: Vault
) -> dict[str, str]:
    """Save the addresses, by the ids of their endpoints; the secrets of new endpoints, which are never shown again.

    An endpoint whose address changed, or that was disabled, is used again.
    """
    stored = endpoints.stored_addresses(session)
    new = {id: it for id, it in addresses.items() if id not in stored}
    new_secrets = {id: secrets.token_bytes(SECRET_BYTES) for id in new}

    added = endpoints.add_endpoints(
        session,
        {id: _encrypted(it, vault) for id, it in new.items()},
        {id: vault.encrypt(it) for id, it in new_secrets.items()},
    )
    changed = {
        id: _encrypted(it, vault)
        for id, it in addresses.items()
        if id not in added and not _is_stored(it, stored.get(id), vault)
    }
    endpoints.save_addresses(session, changed)
    return {id: encode_secret(new_secrets[id]) for id in new if id in added}


def read_addresses(session: Session, *, vault: Vault) -> dict[str, Address | None]:
    """The address of each endpoint, by the endpoint's id; None where the URL cannot be decrypted."""
    return {id: _decrypted(it, vault) for id, it in endpoints.stored_addresses(session).items()}


def save_address(
    session: Session,
    id: str,
    *,
    url: str | None,
    format_: Format,
    vault: Vault,
    agreements: Agreements,
) -> str | None:
    """Save the format of an endpoint and, where there is one, its new URL; the secret, if the endpoint is new.

    Raises NoAddress for a new endpoint without a URL, and NobodysEndpoint where no rep or team would use it.
    """
    if url is None:
        target = endpoints.find_target(session, id)
        if target is None:
            raise NoAddress(f"there is no endpoint {id} yet: send its url too")
        url = vault.decrypt(target.url).decode()
    _check_owner(session, id, agreements)
    return save_addresses(session, {id: Address(url, format_)}, vault=vault).get(id)


def _check_owner(session: Session, id: str, agreements: Agreements) -> None:
    kind, _, name = id.partition("/")
    if kind == "rep" and not reps.reps_by_id(session, [name]):
        raise NobodysEndpoint(f"there is no rep {name}: `leadbaton reps list` lists all reps")
    if kind == "team":
        teams = {it.id for it in agreements.current(session).agreement.routing.teams}
        if name not in teams:
            raise NobodysEndpoint(
                f"the agreement has no team {name}: it has {', '.join(sorted(teams))}"
            )


def _encrypted(address: Address, vault: Vault) -> EncryptedAddress:
    url = vault.encrypt(address.url.encode())
    return EncryptedAddress(url, host_of(address.url), address.format)


def _decrypted(stored: StoredAddress, vault: Vault) -> Address | None:
    try:
        return Address(vault.decrypt(stored.url).decode(), stored.format)
    except BadSecretKey:
        return None


def _is_stored(address: Address, stored: StoredAddress | None, vault: Vault) -> bool:
    """Whether the endpoint has this address and is not disabled."""
    return stored is not None and not stored.is_disabled and _decrypted(stored, vault) == address
