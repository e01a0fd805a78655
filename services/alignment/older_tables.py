"""Tables that only older versions use. They stay until no process of such a version can run any more."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Identity,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import UUID

from shared.db.tables import NAMES

metadata = MetaData(schema="alignment", naming_convention=NAMES)

COUNTS = (
    "qualified", "assigned", "accepted", "rejected", "contacted", "won", "lost", "recycled", "merged",
    "wins", "met", "broken",
)  # fmt: skip

promise_links = Table(
    "promise_links",
    metadata,
    Column("handoff_id", UUID(as_uuid=True), primary_key=True),
    comment="The ids of handoffs, locked while the promises about them are counted with them for the first time.",
)

categories = Table(
    "categories",
    metadata,
    Column("id", Text, primary_key=True, comment="A hash of the names."),
    *(
        Column(it, Text, nullable=False)
        for it in ("team", "tier", "source", "campaign", "channel", "persona")
    ),
    comment="What reports group and conditions read of handoffs; empty: unknown.",
)


def _tally_columns(*, is_key: bool) -> list[Column[Any]]:
    """The columns of a tally: its key, and its sums."""
    return [
        Column("field", Text, primary_key=is_key, nullable=False, comment="team, …, category"),
        Column("qualified_on", Date, primary_key=is_key, nullable=False, comment="In UTC."),
        Column("name", Text, primary_key=is_key, nullable=False, comment="Empty: unknown."),
        Column("agreement_version", Integer, primary_key=is_key, nullable=False),
        Column("currency", Text, primary_key=is_key, nullable=False, comment="Of wins."),
        Column("policy", Text, primary_key=is_key, nullable=False, comment="Of promises."),
        *(Column(it, Integer, nullable=False) for it in COUNTS),
        Column("cents", BigInteger, nullable=False, comment="Of the wins in the currency."),
    ]


tallies = Table(
    "tallies",
    metadata,
    *_tally_columns(is_key=True),
    comment="The sums of handoffs that reports read, by the date of their qualification and one of their fields.",
)

tally_changes = Table(
    "tally_changes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    *_tally_columns(is_key=False),
    comment="What transactions add to the tallies, until it is merged into them; reports read both.",
)

recounts = Table(
    "recounts",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False, comment="Always 1."),
    Column("night", Date, nullable=False, comment="The date, in UTC, of the night of the recount."),
    Column("next_on", Date, nullable=False, comment="The date of qualification that is next."),
    Column("last_on", Date, nullable=False, comment="The date of qualification that is last."),
    Column("handoffs", BigInteger, nullable=False, comment="Counted in this night."),
    Column(
        "differences", BigInteger, nullable=False, comment="Tallies that were mended in this night."
    ),
    Column("finished_at", DateTime(timezone=True), comment="When a recount was last finished."),
    comment="How far the nightly recount of the tallies is, in one row.",
)
