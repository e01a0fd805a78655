"""Routes for the roster as a file: its export, its import, and what an import would change."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from sqlalchemy.orm import Session
from ssrfguard import Policy

from services.routing.api.accounts import DRY_RUN, AccountsDifferenceOut
from services.routing.domain.roster_difference import RosterDifference
from services.routing.handlers.assignment import Assigner
from services.routing.handlers.roster_import import import_reps
from services.routing.handlers.rosters import compare_roster, export_roster
from services.routing.roster_csv import parse_csv
from services.routing.roster_file import RosterFile, parse
from shared.agreement.model import Agreement
from shared.agreement.store import NoAgreement
from shared.auth.keys import UnknownKey, WrongScope
from shared.auth.vault import BadSecretKey, Vault
from shared.documents import InvalidDocument
from shared.http.dependencies import Now, Ops, Tx
from shared.http.outbound import check_url
from shared.http.problems import problems

MAX_SOURCE = 200_000
"""The longest file of reps, in characters."""


class RosterText(BaseModel):
    """The roster as a file."""

    source: str = Field(description="A file of reps in YAML, which imports to no difference.")


class RosterIn(BaseModel):
    """A file of reps."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "source": "reps:\n  - {id: claire, name: Claire Adu, team: inbound,"
                    " email: claire@northwind.example}\n",
                    "format": "yaml",
                }
            ]
        },
    )

    source: Annotated[str, StringConstraints(max_length=MAX_SOURCE)] = Field(
        description="The file; longer ones are imported with `leadbaton reps import`."
    )
    format: Literal["yaml", "csv"] = Field(
        default="yaml", description="csv: only the reps; fallbacks and accounts stay as they are."
    )
    dry_run: bool = Field(default=False, description=DRY_RUN)

    def read(self, agreement: Agreement | None, check_url: Callable[[str], None]) -> RosterFile:
        """The file; raises InvalidDocument with every fault."""
        name = f"reps.{self.format}"
        if self.format == "csv":
            return parse_csv(self.source, name=name, agreement=agreement, check_url=check_url)
        return parse(self.source, name=name, agreement=agreement, check_url=check_url)


class FieldChangeOut(BaseModel):
    """A field of a rep that changes."""

    model_config = ConfigDict(from_attributes=True)

    rep: str
    field: str = Field(description="As in the file, such as `capacity.open`; or `rank`.")
    before: str
    after: str


class RosterDifferenceOut(BaseModel):
    """What an import changes of the roster."""

    model_config = ConfigDict(from_attributes=True)

    added: list[str] = Field(description="New reps.")
    inactive: list[str] = Field(description="Reps who are not in the file: they become inactive.")
    changed: list[FieldChangeOut]
    endpoints: list[str] = Field(description="Endpoints that are new or get another URL.")
    enabled: list[str] = Field(description="Disabled endpoints that are used again.")
    accounts: AccountsDifferenceOut | None = Field(
        description="null where the file leaves accounts as they are."
    )


class RosterImport(BaseModel):
    """An import of the roster."""

    applied: bool = Field(description="False for a dry run.")
    difference: RosterDifferenceOut
    secrets: dict[str, str] = Field(
        default={}, description="The secrets of new endpoints. They are not shown again."
    )
    held_by_inactive: dict[str, int] = Field(
        default={},
        description="How many handoffs each inactive rep still holds: `POST /v1/reroutes` gives them to others.",
    )
    owned_by_inactive: dict[str, int] = Field(
        default={}, description="How many accounts each inactive rep owns."
    )

    @classmethod
    def of(cls, difference: RosterDifference, *, dry_run: bool) -> Self:
        """The import with what it changes."""
        out = RosterDifferenceOut.model_validate(difference)
        return cls(applied=not dry_run, difference=out)


def router(
    assigner: Assigner, secret_key: SecretStr | None, destination_policy: Policy
) -> APIRouter:
    """The routes. Endpoints may be where the policy allows; new secrets are encrypted with the key."""
    routes = APIRouter()
    guard = partial(check_url, policy=destination_policy)

    @routes.get("/roster", responses=problems(UnknownKey, WrongScope))
    def read_roster(session: Tx, _: Ops, response: Response) -> RosterText:
        """Export the roster as a file of reps, without endpoints, whose URLs may be secrets: they stay as they are."""
        response.headers["cache-control"] = "no-store"
        return RosterText(source=export_roster(session))

    @routes.put(
        "/roster", responses=problems(UnknownKey, WrongScope, InvalidDocument, BadSecretKey)
    )
    def import_roster(
        session: Tx, _: Ops, now: Now, body: RosterIn, response: Response
    ) -> RosterImport:
        """Make the file the roster, as `leadbaton reps import` does: all of it or, with any fault, nothing.

        Reps who are not in it become inactive. With `dry_run` it is only shown what it would change.
        """
        file = body.read(_agreement(session, assigner), guard)
        vault = Vault(secret_key)
        difference = compare_roster(session, file, vault=vault)
        out = RosterImport.of(difference, dry_run=body.dry_run)
        if not body.dry_run:
            imported = import_reps(session, file, vault=vault, now=now)
            out.secrets = imported.secrets
            out.held_by_inactive = imported.held_by_inactive
            out.owned_by_inactive = imported.owned_by_inactive
        response.headers["cache-control"] = "no-store"
        return out

    return routes


def _agreement(session: Session, assigner: Assigner) -> Agreement | None:
    """The agreement in force; None before the first is published."""
    try:
        return assigner.policies.current(session).agreement
    except NoAgreement:
        return None
