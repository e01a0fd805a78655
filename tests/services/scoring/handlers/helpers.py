"""The leads that handlers have stored."""

from __future__ import annotations

from services.scoring.domain.lead import Lead
from services.scoring.queries import leads
from tests.builders import NOON
from tests.services.scoring.conftest import Worker


def lead_of(worker: Worker, key: str = "email/ada@example.com") -> Lead:
    """The lead that an identifier belongs to."""
    lead_id = leads.owners(worker.session, [key])[key]
    lead = leads.find_lead(worker.session, lead_id)
    assert lead is not None
    return lead


def engagement(worker: Worker, lead: Lead) -> float:
    """The lead's engagement at noon."""
    return lead.profile.engagement(worker.policies.current(worker.session), NOON).value
