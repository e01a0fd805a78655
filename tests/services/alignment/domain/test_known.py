"""Of a lead's records the last one counts; known leads in the groups of the funnel."""

from __future__ import annotations

from services.alignment.domain.facts import MAX_NAME
from services.alignment.domain.funnel import Funnel, KnownCounts, StageCounts
from services.alignment.domain.known import (
    FirstStage,
    KnownLead,
    known_leads,
    total_of_known,
    with_known,
)
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


def test_groups_of_known_leads_join_those_of_handoffs() -> None:
    funnels = [
        Funnel(StageCounts("autumn", qualified=1), (), 0, 0),
        Funnel(StageCounts(None, qualified=9), (), 0, 0),
    ]
    counts = [KnownCounts("winter", 3, 2), KnownCounts("spring", 4), KnownCounts(None, 5, 1)]

    merged = with_known(funnels, counts)

    assert [(it.counts.group, it.counts.qualified, it.known) for it in merged] == [
        ("autumn", 1, KnownCounts("autumn")),
        ("spring", 0, KnownCounts("spring", 4)),
        ("winter", 0, KnownCounts("winter", 3, 2)),
        (None, 9, KnownCounts(None, 5, 1)),
    ]
    assert total_of_known(counts) == KnownCounts(None, 12, 3)


def test_rates_are_of_the_counts_of_the_period() -> None:
    funnel = Funnel(StageCounts("autumn", qualified=3), (), 0, 0, KnownCounts("autumn", 8, 4))

    assert (funnel.engaged_rate, funnel.qualified_rate) == (0.5, 0.75)
    unknown = Funnel(StageCounts("autumn", qualified=3), (), 0, 0)
    assert (unknown.engaged_rate, unknown.qualified_rate) == (None, None)


def test_a_lead_reached_a_stage_at_an_instant() -> None:
    lead = KnownLead(an_id("ada"), 1, NOON)

    assert [lead.became_at(it) for it in FirstStage] == [NOON, None]
