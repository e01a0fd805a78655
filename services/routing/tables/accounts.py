"""The table of accounts, and the temporary one that imports fill first."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text

from services.routing.tables.schema import metadata

accounts = Table(
    "accounts",
    metadata,
    Column("domain", Text, primary_key=True, comment="In lower case."),
    Column("rep", Text, nullable=False, comment="Who owns it."),
    Index("ix_accounts_rep", "rep", "domain"),
    comment="Companies with the reps who own them.",
)

staged_accounts = Table(
    "staged_accounts",
    MetaData(),
    Column("line", Integer),
    Column("domain", Text),
    Column("rep", Text),
)
