"""What is counted a day, for reports to read of days that are not stale."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Date,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from services.alignment.tables.schema import metadata

GROUPS = ("team", "tier", "source", "campaign", "channel", "persona", "rep")
"""What reports group and narrow handoffs by."""
STAGES = (
    "qualified", "assigned", "accepted", "rejected", "contacted", "won", "lost", "recycled", "merged",
)  # fmt: skip
"""The columns of a tally that count handoffs."""

FOLLOW_UPS = (
    "untouched", "attempts", "answers", "reasoned", "qualified_again", "accepted_again", "won_again",
)  # fmt: skip
"""The columns of a tally that count what sales did and said."""

daily_tallies = Table(
    "daily_tallies",
    metadata,
    Column("counted_on", Date, nullable=False, comment="When the leads qualified, in UTC."),
    Column(
        "field",
        Text,
        nullable=False,
        comment="By what the handoffs are summed: team, …, or category, which is all but the rep.",
    ),
    *(
        Column(it, Text, nullable=False, comment="Empty: unknown, or not of the field.")
        for it in GROUPS
    ),
    Column("agreement_version", Integer, nullable=False, comment="0: unknown."),
    Column("currency", Text, nullable=False, comment="Of won amounts; empty: none, or unknown."),
    *(Column(it, Integer, nullable=False) for it in STAGES),
    Column("cents", Numeric(30, 0), nullable=False, comment="Of the wins in the currency."),
    Column("met", Integer, nullable=False, comment="Promises about the handoffs, as is broken."),
    Column("broken", Integer, nullable=False),
    *(Column(it, Integer, nullable=False, server_default=text("0")) for it in FOLLOW_UPS),
    Index("ix_daily_tallies_field", "field", "counted_on"),
    Index("ix_daily_tallies_counted_on", "counted_on"),
    comment="The sums of handoffs that reports read of days that are not stale.",
)


def _of_field() -> list[Column[Any]]:
    """Of which handoffs the sums of a row are: those that qualified on a day, and have one fact in common."""
    return [
        Column("counted_on", Date, nullable=False, comment="When the leads qualified, in UTC."),
        Column("field", Text, nullable=False, comment="team, …, rep; empty: all handoffs."),
        Column("name", Text, nullable=False, comment="Empty: unknown, or all."),
    ]


daily_times = Table(
    "daily_times",
    metadata,
    *_of_field(),
    Column("kind", Text, nullable=False, comment="accept, business_accept, …"),
    Column("seconds", ARRAY(BigInteger), nullable=False, comment="Lengths, rounded up to steps."),
    Column("numbers", ARRAY(Integer), nullable=False, comment="How many times have each length."),
    PrimaryKeyConstraint("field", "name", "counted_on", "kind"),
    Index("ix_daily_times_counted_on", "counted_on"),
    comment="How many times between two steps of handoffs there are, of days that are not stale.",
)

daily_values = Table(
    "daily_values",
    metadata,
    *_of_field(),
    Column("kind", Text, nullable=False, comment="reason or traits"),
    Column("value", Text, nullable=False, comment="A reason; or names of traits, a line each."),
    Column("handoffs", Integer, nullable=False),
    Index("ix_daily_values_field", "field", "name", "counted_on"),
    Index("ix_daily_values_counted_on", "counted_on"),
    comment="How many handoffs were rejected for a reason, or have a set of traits, of days that are not stale.",
)

daily_attainment = Table(
    "daily_attainment",
    metadata,
    Column("counted_on", Date, nullable=False, comment="When the clocks were due."),
    Column("policy", Text, nullable=False),
    Column(
        "field", Text, nullable=False, comment="By what the clocks are summed, as handoffs are."
    ),
    *(
        Column(it, Text, nullable=False, comment="Empty: unknown, or not of the field.")
        for it in GROUPS
    ),
    Column("met", Integer, nullable=False),
    Column("broken", Integer, nullable=False),
    Index("ix_daily_attainment_field", "field", "policy", "counted_on"),
    Index("ix_daily_attainment_counted_on", "counted_on"),
    comment="How many clocks were met and broken, of days that are not stale: by their own team and tier, and by the "
    "other facts of their handoffs.",
)

daily_outcomes = Table(
    "daily_outcomes",
    metadata,
    Column("counted_on", Date, nullable=False, comment="When the leads qualified, in UTC."),
    Column("happened_on", Date, nullable=False, comment="When they came to the stage, in UTC."),
    Column("campaign", Text, nullable=False, comment="Empty: unknown."),
    Column("stage", Text, nullable=False, comment="qualified, accepted, rejected, contacted, won"),
    Column(
        "detail",
        Text,
        nullable=False,
        comment="The reason of a rejection, the currency of a win; empty: unknown.",
    ),
    Column("handoffs", Integer, nullable=False),
    Column("cents", Numeric(30, 0), nullable=False, comment="Of the wins."),
    Index("ix_daily_outcomes_counted_on", "counted_on"),
    Index("ix_daily_outcomes_happened_on", "happened_on"),
    comment="What became of the leads of campaigns, of days that are not stale.",
)

daily_leads = Table(
    "daily_leads",
    metadata,
    Column("counted_on", Date, nullable=False, comment="When leads became so, in UTC."),
    *(
        Column(it, Text, nullable=False, comment="Empty: unknown.")
        for it in ("source", "campaign", "channel", "persona")
    ),
    Column("known", Integer, nullable=False, comment="Leads that became known on the day."),
    Column("engaged", Integer, nullable=False),
    Index("ix_daily_leads_counted_on", "counted_on"),
    comment="How many leads became known and engaged, which reports read of days that are not stale.",
)
