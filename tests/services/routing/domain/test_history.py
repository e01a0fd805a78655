"""What earlier handoffs decide about reps."""

from __future__ import annotations

from datetime import timedelta

from services.routing.domain.handoff import State
from services.routing.domain.history import (
    BrokenPromise,
    EarlierHandoff,
    KnownLeads,
    LeadHistory,
    Refusal,
)
from tests.builders import NOON, an_id

ADA, VISITOR = an_id("ada"), an_id("visitor")


def earlier(
    qualification: int, state: State, rep: str | None, lead: str = "ada", hours: int = 0
) -> EarlierHandoff:
    closed_at = None if state.live else NOON + timedelta(hours=hours)
    id = an_id(f"{lead}/{qualification}")
    return EarlierHandoff(id, an_id(lead), qualification, state, rep, closed_at)


def test_the_previous_rep_is_the_one_of_the_last_closed_handoff_that_had_one() -> None:
    handoffs = [
        earlier(2, State.LOST, "linus"),
        earlier(1, State.WON, "grace"),
        earlier(3, State.RECYCLED, None),
        earlier(4, State.ASSIGNED, "tim"),
    ]

    known = KnownLeads({}, handoffs, [])

    assert known.histories() == {ADA: LeadHistory("linus")}
    assert known.live() == {ADA: an_id("ada/4")}


def test_a_rep_who_refused_the_lead_is_not_its_previous_rep() -> None:
    won = [earlier(1, State.WON, "grace")]

    refused = KnownLeads({}, won, [Refusal(ADA, "grace", is_final=False)]).histories()
    by_another = KnownLeads({}, won, [Refusal(ADA, "linus", is_final=True)]).histories()

    assert refused == {ADA: LeadHistory(None, lost_by=frozenset({"grace"}))}
    linus = frozenset({"linus"})
    assert by_another == {ADA: LeadHistory("grace", linus, lost_by=linus)}


def test_who_broke_a_promise_lost_the_lead_as_who_refused_it() -> None:
    refusals = [Refusal(ADA, "grace", is_final=False)]
    broken = [BrokenPromise(VISITOR, "linus")]

    history = KnownLeads({VISITOR: ADA}, [], refusals, broken).histories()[ADA]

    assert history == LeadHistory(lost_by=frozenset({"grace", "linus"}))


def test_merged_leads_have_one_history() -> None:
    handoffs = [
        earlier(1, State.WON, "linus", lead="visitor", hours=2),
        earlier(1, State.WON, "grace", hours=1),
        earlier(2, State.WAITING, None, lead="visitor"),
    ]
    refusals = [Refusal(VISITOR, "tim", is_final=True)]

    known = KnownLeads({VISITOR: ADA}, handoffs, refusals)

    assert known.histories() == {
        ADA: LeadHistory("linus", frozenset({"tim"}), lost_by=frozenset({"tim"}))
    }
    assert known.live() == {ADA: an_id("visitor/2")}


def test_every_return_to_marketing_is_a_cycle_of_the_person() -> None:
    refusals = [
        Refusal(ADA, "grace", is_final=True, recycled=True),
        Refusal(VISITOR, "linus", is_final=True, recycled=True),
        Refusal(ADA, "tim", is_final=True),
        Refusal(ADA, "joan", is_final=False),
    ]

    history = KnownLeads({VISITOR: ADA}, [], refusals).histories()[ADA]

    final = frozenset({"grace", "linus", "tim"})
    assert history == LeadHistory(None, final, cycles=2, lost_by=final | {"joan"})
