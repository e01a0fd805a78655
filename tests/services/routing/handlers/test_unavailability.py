"""Reps on time off lose what they have not accepted, and ladders set reps unavailable."""

from __future__ import annotations

import pytest

from services.routing.domain.handoff import handoff_id
from services.routing.domain.roster import OPEN_END, Absence, RecordedAbsence
from services.routing.handlers.absences import record_absence
from services.routing.queries.absences import absences_by_rep
from tests.builders import DEFAULT_SECTIONS, NOON, an_id, lead_qualified
from tests.services.routing.builders import (
    entry,
    importing,
    publishing,
    qualifying,
)
from tests.services.routing.client import RoutingClient
from tests.services.routing.ladder import Ladder

pytestmark = pytest.mark.postgres


@pytest.fixture
def ladder(client: RoutingClient) -> Ladder:
    """Ada's handoff under a published agreement."""
    return Ladder(client)


def with_ladder(ladder: Ladder, *steps: dict[str, str]) -> None:
    """Publish a promise with this ladder, and let Bob qualify under it: Grace gets the lead."""
    promise = {"id": "accept", "kind": "accept", "scope": "hop", "anchor": "assigned"}
    policy = {**promise, "target": "15m", "ladder": list(steps)}
    with ladder.sessions.begin() as session:
        publishing(session, sla={**DEFAULT_SECTIONS["sla"], "policies": [policy], "max_hops": 2})
        version = ladder.assigner.policies.current(session).version
        importing(session, entry("grace"), entry("linus", active=False))
        qualifying(session, ladder.assigner, lead_qualified(lead="bob", agreement_version=version))
        importing(session, entry("grace"), entry("linus"))


def go_away(ladder: Ladder, rep: str) -> None:
    """The rep is away from now on."""
    with ladder.sessions.begin() as session:
        recorded = RecordedAbsence(Absence(NOON, OPEN_END), "ops/olga")
        record_absence(session, rep, recorded, now=NOON)


BOB = handoff_id(an_id("bob"), 1)
REASSIGN = {"after": "1h", "do": "reassign"}


def test_what_a_rep_away_has_not_accepted_goes_to_another_at_once(ladder: Ladder) -> None:
    with_ladder(ladder, REASSIGN)
    ladder.work()
    assert ladder.client.get(f"/handoffs/{BOB}")["rep"] == "grace"

    go_away(ladder, "grace")
    ladder.work()

    bob = ladder.client.get(f"/handoffs/{BOB}")
    assert (bob["rep"], bob["hop"]) == ("linus", 2)
    assert (bob["history"][-1]["details"], bob["history"][-1]["actor"]) == (
        {"reason": "rep_away"},
        "leadbaton",
    )
    assert [(it["rep"], it["outcome"]) for it in bob["escalations"]] == [("grace", "reassigned")]
    assert ladder.handoff["rep"] == "grace"  # of an agreement without such a ladder
    go_away(ladder, "linus")
    ladder.work()
    bob = ladder.client.get(f"/handoffs/{BOB}")
    assert (bob["rep"], bob["hop"]) == ("linus", 2)  # two reps are the most here


def test_what_a_rep_away_has_accepted_stays(ladder: Ladder) -> None:
    with_ladder(ladder, REASSIGN)
    ladder.client.say("accept", id=BOB)

    go_away(ladder, "grace")
    ladder.work()

    assert ladder.client.get(f"/handoffs/{BOB}")["rep"] == "grace"


def test_without_a_step_that_reassigns_a_rep_away_keeps_it(ladder: Ladder) -> None:
    with_ladder(ladder, {"notify": "team"})

    go_away(ladder, "grace")
    ladder.work()

    bob = ladder.client.get(f"/handoffs/{BOB}")
    assert (bob["rep"], bob["escalations"]) == ("grace", [])


def unavailable(ladder: Ladder) -> list[tuple[str, str]]:
    """The reps who are away, and by whom that was recorded."""
    with ladder.sessions() as session:
        recorded = absences_by_rep(session)
    return [(rep, it.actor) for rep, it in recorded.items() if it.absence.until > NOON]


def test_a_step_sets_the_rep_unavailable_for_some_time(ladder: Ladder) -> None:
    for _ in range(2):
        ladder.announce("set_unavailable", lasts_s=86_400)
        ladder.work()

    assert ladder.outcomes() == [("grace", "unavailable")]
    assert unavailable(ladder) == [("grace", "leadbaton")]
    ladder.client.post("/reps/grace/back", by="ops")
    assert unavailable(ladder) == []


def test_a_rep_who_lost_the_handoff_by_the_ladder_is_set_unavailable_too(ladder: Ladder) -> None:
    ladder.announce("reassign", hop=1, rep="grace")
    ladder.work()
    ladder.announce("set_unavailable", hop=1, rep="grace", lasts_s=3600)
    ladder.work()

    assert unavailable(ladder) == [("grace", "leadbaton")]


def test_a_rep_who_answered_stays_available(ladder: Ladder) -> None:
    ladder.client.say("accept")
    ladder.announce("set_unavailable", lasts_s=3600)
    ladder.work()

    assert ladder.outcomes() == [("grace", "answered")]
    assert unavailable(ladder) == []


def test_an_absence_that_ops_recorded_stays_as_it_is(ladder: Ladder) -> None:
    go_away(ladder, "grace")
    ladder.announce("set_unavailable", lasts_s=3600)
    ladder.work()

    assert ladder.outcomes() == [("grace", "already_away")]
    assert unavailable(ladder) == [("grace", "ops/olga")]


def test_a_rep_who_is_not_there_any_more_is_left_alone(ladder: Ladder) -> None:
    ladder.announce("reassign", hop=1, rep="grace")
    ladder.work()
    ladder.announce("set_unavailable", hop=1, rep="nobody", lasts_s=3600)
    ladder.work()

    assert ("nobody", "moved_on") in ladder.outcomes()
