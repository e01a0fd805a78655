"""The tables of this service, in the schema `alignment`. None of them holds a name or an address of a person."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from services.alignment.tables.credits import credit_days, daily_credits, stale_credits
from services.alignment.tables.daily import (
    daily_attainment,
    daily_leads,
    daily_outcomes,
    daily_tallies,
    daily_times,
    daily_values,
)
from services.alignment.tables.schema import metadata

__all__ = [
    "capacity_days",
    "changes",
    "credit_days",
    "daily_attainment",
    "daily_credits",
    "daily_leads",
    "daily_outcomes",
    "daily_tallies",
    "daily_times",
    "daily_values",
    "handoffs",
    "leads",
    "metadata",
    "outcome_days",
    "promises",
    "spend",
    "stale_credits",
    "stale_days",
    "stale_facts",
    "stale_handoffs",
    "stale_leads",
    "touches",
]

changes = Table(
    "changes",
    metadata,
    Column("handoff_id", UUID(as_uuid=True), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column(
        "payload",
        JSONB,
        nullable=False,
        comment="The change as routing announced it, without the names of the lead and of the actor.",
    ),
    comment="The changes of each handoff, from which its facts are derived.",
)

leads = Table(
    "leads",
    metadata,
    Column("lead_id", UUID(as_uuid=True), primary_key=True),
    Column("sequence", Integer, nullable=False, comment="Of scoring's last record of the lead."),
    Column("known_at", DateTime(timezone=True), nullable=False),
    Column("engaged_at", DateTime(timezone=True), comment="Null: not yet; never before known_at."),
    Column("source", Text),
    Column("channel", Text, comment="Of the last touch until it was known, as is the campaign."),
    Column("campaign", Text),
    Column("persona", Text, comment="By the agreement, at the record."),
    Column("merged_into", UUID(as_uuid=True), comment="Counted no more."),
    Index("ix_leads_known_at", "known_at", "lead_id"),
    Index("ix_leads_engaged_at", "engaged_at", "lead_id"),
    comment="One row a person whom marketing knows, since when, and where they came from.",
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("lead_id", UUID(as_uuid=True), primary_key=True),
    Column("qualification", Integer, primary_key=True),
    Column("handoff_id", UUID(as_uuid=True), comment="Null until routing has announced it."),
    Column(
        "is_announced",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="Whether scoring's announcement of the qualification was read.",
    ),
    Column("qualified_at", DateTime(timezone=True)),
    Column("agreement_version", Integer, comment="Under which the lead qualified."),
    Column("tier", Text),
    Column("source", Text),
    Column("first_campaign", Text),
    Column("campaign", Text, comment="The last campaign, or else the first."),
    Column(
        "channel", Text, comment="Of the last touch before the lead qualified, else of its first."
    ),
    Column("persona", Text, comment="By the agreement, at the qualification."),
    Column("fit", Float, comment="At the qualification, as is engagement."),
    Column("engagement", Float),
    Column(
        "traits",
        ARRAY(Text, as_tuple=True),
        comment="The names of those that had a value at the qualification; null: not announced.",
    ),
    Column(
        "triggered_at",
        DateTime(timezone=True),
        comment="When the event happened that qualified the lead.",
    ),
    Column("team", Text),
    Column("rep", Text, comment="Who has the handoff, or had it last."),
    Column("assigned_at", DateTime(timezone=True), comment="The first assignment."),
    Column("accepted_at", DateTime(timezone=True)),
    Column("rejected_at", DateTime(timezone=True), comment="The last rejection."),
    Column("rejection_reason", Text),
    Column("contacted_at", DateTime(timezone=True), comment="The first touch."),
    Column("reached_at", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column(
        "attempted_at",
        ARRAY(DateTime(timezone=True), as_tuple=True),
        nullable=False,
        server_default=text("'{}'"),
        comment="Of the first 50 attempts.",
    ),
    Column("accepted_hop", Integer, comment="Which assignment the rep had who accepted it first."),
    Column("closed_at", DateTime(timezone=True)),
    Column(
        "outcome", Text, comment="won, lost, recycled, disqualified, returned or merged; null: open"
    ),
    Column("loss_reason", Text),
    Column("amount_cents", BigInteger, comment="Of a win; null: unknown."),
    Column("currency", Text),
    Column(
        "promises",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="{policy: [met, broken]}, which only older versions read, as they do category_id.",
    ),
    Column("category_id", Text),
    Index("ix_handoffs_qualified_at", "qualified_at", "lead_id", "qualification"),
    Index("ix_handoffs_handoff_id", "handoff_id"),
    Index(
        "ix_handoffs_uncounted",
        "qualified_at",
        postgresql_where=text("category_id is null and qualified_at is not null"),
    ),
    Index("ix_handoffs_won", "closed_at", postgresql_where=text("outcome = 'won'")),
    Index(
        "ix_handoffs_waiting",
        "qualified_at",
        postgresql_where=text("assigned_at is null and closed_at is null"),
    ),
    comment="One row a handoff: a qualification of a lead, and what became of it.",
)

touches = Table(
    "touches",
    metadata,
    Column("lead_id", UUID(as_uuid=True), primary_key=True),
    Column("qualification", Integer, primary_key=True),
    Column(
        "occurred_at",
        DateTime(timezone=True),
        nullable=False,
        comment="When the lead qualified or was closed; the later announcement is kept.",
    ),
    Column("known_at", DateTime(timezone=True), comment="The first event that names the person."),
    Column(
        "touches", JSONB, nullable=False, comment="[{at, channel, campaign}, …], the bounded list."
    ),
    Column(
        "channel",
        Text,
        comment="Of the last touch before the lead qualified, as announced then; null: none, or not read.",
    ),
    Column(
        "omitted", Integer, nullable=False, comment="Touches that scoring left out of the list."
    ),
    comment="The marketing touches of a lead until it qualified or was closed, one row a handoff.",
)

promises = Table(
    "promises",
    metadata,
    Column("clock_id", UUID(as_uuid=True), primary_key=True),
    Column("handoff_id", UUID(as_uuid=True), nullable=False),
    Column("policy", Text, nullable=False),
    Column("met_at", DateTime(timezone=True), comment="When it was last found to be met."),
    Column("breached_at", DateTime(timezone=True), comment="When it was last found to be broken."),
    Column("retracted_at", DateTime(timezone=True), comment="When a breach was last taken back."),
    Column(
        "detected_at",
        DateTime(timezone=True),
        comment="Of the last change, which the due date, the team and the tier are of; null in old rows.",
    ),
    Column("due_on", Date, comment="In the clock's calendar; attainment counts by it."),
    Column("team", Text),
    Column("tier", Text),
    Index("ix_promises_handoff_id", "handoff_id", postgresql_using="hash"),
    Index("ix_promises_due_on", "policy", "due_on"),
    comment="One row a clock that was met or broken, as the SLA monitor announced it.",
)

spend = Table(
    "spend",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("period", Text, primary_key=True, comment="2026-W47, 2026-11 or 2026-Q4"),
    Column("version", Integer, primary_key=True, comment="The latest counts."),
    Column("first_on", Date, nullable=False, comment="The first date of the period."),
    Column("last_on", Date, nullable=False),
    Column("amount_cents", BigInteger, comment="Null: no longer known."),
    Column("currency", Text),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Index("ix_spend_last_on", "last_on"),
    comment="What campaigns cost, in all versions that were reported.",
)

stale_days = Table(
    "stale_days",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("day", Date, nullable=False, comment="In UTC."),
    Column("marked_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    comment="Days on which something is dated that has changed since they were counted; triggers add them.",
)

stale_handoffs = Table(
    "stale_handoffs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("handoff_id", UUID(as_uuid=True), nullable=False),
    comment="Handoffs about which promises have changed: the days on which their leads qualified are stale.",
)

stale_facts = Table(
    "stale_facts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("handoff_id", UUID(as_uuid=True), nullable=False),
    comment="Handoffs of which a fact has changed that promises are counted by: the days on which promises about them "
    "were due are stale.",
)

stale_leads = Table(
    "stale_leads",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("lead_id", UUID(as_uuid=True), nullable=False),
    comment="Leads of which a later qualification has changed: the days on which they qualified before, and were "
    "recycled, are stale.",
)

outcome_days = Table(
    "outcome_days",
    metadata,
    Column("day", Date, primary_key=True, comment="In UTC."),
    Column("announced_at", DateTime(timezone=True), nullable=False),
    comment="The days whose outcomes of campaigns were announced, each once.",
)

capacity_days = Table(
    "capacity_days",
    metadata,
    Column("on", Date, primary_key=True),
    Column("team", Text, primary_key=True),
    Column(
        "number",
        BigInteger,
        nullable=False,
        comment="Of the team's latest plan that has the date.",
    ),
    Column("reps", BigInteger, nullable=False, comment="Who work on the date."),
    Column("leads", BigInteger, nullable=False, comment="The sum of their limits a day."),
    Column("unlimited", BigInteger, nullable=False, comment="Of the reps, those without one."),
    comment="How many leads each team can take on each date, as routing announced it last.",
)
