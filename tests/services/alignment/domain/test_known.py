"""Of a lead's records the last one counts."""

from __future__ import annotations

from services.alignment.domain.facts import MAX_NAME
from services.alignment.domain.known import KnownLead, known_leads
from tests.builders import NOON, an_id, days
from tests.services.alignment.builders import lead_known


def test_each_lead_is_as_its_last_record_has_it() -> None:
    records = [
        lead_known(sequence=2, known_at=NOON - days(1), engaged_at=NOON, campaign="autumn"),
        lead_known(sequence=1),
        lead_known(lead="bob", merged_into=an_id("ada")),
    ]

    leads = {it.lead_id: it for it in known_leads(records)}

    assert leads == {it.lead_id: it for it in known_leads(reversed(records))}
    assert leads[an_id("ada")] == KnownLead(
        an_id("ada"), 2, NOON - days(1), NOON, campaign="autumn"
    )
    assert leads[an_id("bob")].merged_into == an_id("ada")


def test_leads_are_in_the_order_of_their_ids_and_their_names_are_short() -> None:
    leads = known_leads(lead_known(lead=it, source="x" * 999, persona="") for it in range(9))

    assert [it.lead_id for it in leads] == sorted(it.lead_id for it in leads)
    assert {it.source for it in leads} == {"x" * MAX_NAME}
    assert {it.persona for it in leads} == {None}
