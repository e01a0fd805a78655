"""Every decision says how it saw each rep, long after."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import handoff_id
from services.routing.handlers import Assigner, on_answer
from services.routing.handlers.explanation import explain
from services.routing.queries.handoffs import find_handoff
from shared.contracts.payloads import Change
from tests.builders import NOON, an_id, lead_qualified
from tests.services.routing.builders import build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres


def decisions(session: Session, assigner: Assigner, lead: str) -> list[dict[str, Any]]:
    handoff = find_handoff(session, handoff_id(an_id(lead), 1))
    assert handoff is not None
    return list(explain(session, handoff, assigner=assigner))


def without_times(decision: dict[str, Any]) -> dict[str, Any]:
    return {
        it["rep"]: it["shortfall"] if not it["excluded"] else it["excluded"][0]["reason"]
        for it in decision["candidates"]
    }


def test_the_decision_on_each_lead_of_a_batch_counts_the_leads_before_it(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", capacity={"open": 1}), entry("linus"))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in "abc"))
    importing(session, entry("linus", capacity={"open": 9}))

    rows = sorted(
        (decisions(session, assigner, it)[0] for it in "abc"), key=lambda it: it["position"]
    )

    assert [it["picked"] for it in rows] == ["grace", "linus", "linus"]
    assert [without_times(it) for it in rows] == [
        {"grace": 0.0, "linus": 0.0},
        {"grace": "full", "linus": 0.0},
        {"grace": "full", "linus": 0.0},
    ]


def test_the_decision_on_the_next_hop_excludes_the_earlier_rep(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    qualifying(session, assigner, lead_qualified())
    on_answer(
        session,
        handoff_id(an_id("ada"), 1),
        Answer(Change.REJECTED, details={"reason": "no_capacity"}),
        actor=Actor("rep", "grace"),
        assigner=assigner,
        now=NOON,
    )

    first, second = decisions(session, assigner, "ada")

    assert (first["hop"], first["picked"], without_times(first)) == (
        1,
        "grace",
        {"grace": 0, "linus": 0},
    )
    assert (second["hop"], second["picked"]) == (2, "linus")
    assert without_times(second)["grace"] == "had_it"


def test_each_candidate_who_lost_has_the_nearest_change_and_the_pick_its_margin(
    session: Session,
) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", capacity={"open": 1}), entry("linus"), entry("mara"))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in "abcd"))

    rows = sorted(
        (decisions(session, assigner, it)[0] for it in "abcd"), key=lambda it: it["position"]
    )

    first, *_, last = rows
    changes = {it["rep"]: it["nearest_change"] for it in last["candidates"]}
    assert (first["picked"], last["picked"]) == ("grace", "linus")
    assert first["margin"] == {"rival": "linus", "measure": "shortfall", "by": 0.0}
    assert last["margin"] == {"rival": "mara", "measure": "shortfall", "by": 0.0}
    assert changes == {
        "linus": None,
        "mara": {
            "exclusions": (),
            "gap": {"rival": "linus", "measure": "shortfall", "lacked": 0.0, "fewer": 1},
        },
        "grace": {"exclusions": ("full",), "gap": None},
    }
    assert all(it["reproduced"] for it in rows)


def test_a_decision_that_the_present_code_would_not_make_says_so(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    qualifying(session, assigner, lead_qualified())
    session.execute(text("update routing.assignments set rep = 'linus'"))

    [decision] = decisions(session, assigner, "ada")

    assert (decision["picked"], decision["reproduced"]) == ("linus", False)
    assert decision["margin"] is None
    assert {it["nearest_change"] for it in decision["candidates"]} == {None}
