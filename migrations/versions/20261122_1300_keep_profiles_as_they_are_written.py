"""Keep a lead's profile as it is written: it is read and written whole, and nobody asks PostgreSQL for a part of it.

A tree that is built at every save and printed at every load was a tenth of the database's work. The table is written
anew, so scoring waits meanwhile: 19 s for a million leads.
"""

from __future__ import annotations

from alembic import op

revision = "scoring_02"
down_revision = "routing_05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table scoring.leads alter column profile type json using profile::json")


def downgrade() -> None:
    op.execute("alter table scoring.leads alter column profile type jsonb using profile::jsonb")
