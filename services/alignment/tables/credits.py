"""What was won, as it is credited to campaigns and channels, counted by the day of the win."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from services.alignment.tables.schema import metadata

MODELS = ("first", "last", "linear", "time_decay", "u_shaped", "w_shaped", "full_path")
"""By which credit is counted."""

daily_credits = Table(
    "daily_credits",
    metadata,
    Column("counted_on", Date, nullable=False, comment="When the leads were won, in UTC."),
    Column("field", Text, nullable=False, comment="campaign or channel"),
    Column("is_touched", Boolean, nullable=False, comment="False: wins without a touch."),
    Column("name", Text, nullable=False, comment="Empty: touches that name none, or no touch."),
    Column("currency", Text, nullable=False),
    *(Column(f"{it}_cents", Numeric(30, 0), nullable=False) for it in MODELS),
    *(Column(f"{it}_wins", Integer, nullable=False) for it in MODELS),
    PrimaryKeyConstraint("counted_on", "field", "is_touched", "name", "currency"),
    comment="What campaigns and channels are credited with by each model, of days in credit_days.",
)

credit_days = Table(
    "credit_days",
    metadata,
    Column("counted_on", Date, primary_key=True),
    Column(
        "terms",
        Text,
        nullable=False,
        comment="By which it was counted; the credit of other terms is not read.",
    ),
    Column("won", Integer, nullable=False, comment="Wins of the day."),
    Column("unknown", Integer, nullable=False, comment="Of them those without an amount."),
    comment="The days whose wins are counted in daily_credits.",
)

stale_credits = Table(
    "stale_credits",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("day", Date, nullable=False, comment="In UTC."),
    Column("marked_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index("ix_stale_credits_day", "day"),
    comment="Days of wins that have changed, or whose touches have, since they were counted; triggers add them.",
)
