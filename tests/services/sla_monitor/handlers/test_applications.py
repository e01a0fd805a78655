"""Versions of the agreement are applied to stored clocks, on a real PostgreSQL."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.sla_monitor.domain.applications import (
    ApplicationState,
    Effect,
    NotNewest,
    PolicyInForce,
    UnknownApplication,
)
from services.sla_monitor.domain.clocks import State
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.applications import (
    find_application,
    preview_application,
    start_application,
)
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from services.sla_monitor.queries.applications import newest_applications
from shared.agreement.store import Policies
from shared.contracts.payloads import Change, ClockChange
from tests.builders import an_id, minutes
from tests.services.sla_monitor.applying import ASSIGNED, advance, apply, assigned, begin
from tests.services.sla_monitor.builders import (
    JOURNEY,
    TOUCH,
    announced_changes,
    handle_changes,
    minutes_after_noon,
    numbered,
    outcome_counts,
    paused,
    policy,
    publish_policies,
    step,
    stored_clocks,
)

pytestmark = pytest.mark.postgres

LADDER = [{"before": "30m", "notify": "rep"}, {"after": "0s", "notify": "team"}]


def announcements(session: Session) -> list[str]:
    return [f"{it.policy} {it.change}" for it in announced_changes(session)]


def test_running_clocks_keep_their_version_until_it_is_applied(session: Session) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    version = publish_policies(session, policy("touch", target="2h"))
    assert stored_clocks(session)["touch/1"].agreement_version == 1

    done = apply(session)

    assert (done.state, done.handoffs, done.effects) == (
        ApplicationState.DONE,
        1,
        {Effect.LATER: 1},
    )
    clock = stored_clocks(session)["touch/1"]
    assert (clock.agreement_version, clock.due_at) == (version, minutes_after_noon(120))
    [_, moved] = announced_changes(session)
    assert (moved.change, moved.due_at, moved.occurred_at, moved.agreement_version) == (
        ClockChange.MOVED,
        clock.due_at,
        minutes_after_noon(30),
        version,
    )


def test_a_clock_whose_new_target_has_passed_is_breached_at_that_moment_once(
    session: Session,
) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    publish_policies(session, policy("touch", target="10m"))

    assert apply(session, 30).effects == {Effect.BREACHED: 1}
    assert fire_due_clocks(session, now=minutes_after_noon(31)) == 1
    assert apply(session, 40).effects == {}
    assert fire_due_clocks(session, now=minutes_after_noon(200)) == 0

    breaches = [it for it in announced_changes(session) if it.change is ClockChange.BREACHED]
    assert [it.occurred_at for it in breaches] == [minutes_after_noon(30)]
    assert outcome_counts(session) == {"overdue": 1}


def test_a_breach_stays_whatever_the_new_version_promises(session: Session) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    fire_due_clocks(session, now=minutes_after_noon(61))
    before = stored_clocks(session)
    publish_policies(session, policy("touch", target="3h"))

    assert apply(session, 70).effects == {Effect.KEPT: 1}

    assert stored_clocks(session) == before
    assert fire_due_clocks(session, now=minutes_after_noon(400)) == 0
    assert announcements(session).count("touch breached") == 1
    handle_changes(session, replace(step(Change.CONTACTED, 90), sequence=2), minute=90)
    assert stored_clocks(session)["touch/1"].state is State.LATE


def test_a_sweep_whose_time_is_ahead_has_the_last_word_on_a_breach(session: Session) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    fire_due_clocks(session, now=minutes_after_noon(60.5))
    publish_policies(session, policy("touch", target="3h"))
    assert apply(session, 59.9).effects == {Effect.KEPT: 1}
    assert announcements(session) == ["touch started", "touch breached"]


def test_a_warning_and_the_steps_before_the_breach_come_again_at_their_new_times(
    session: Session,
) -> None:
    publish_policies(session, policy("touch", ladder=LADDER))
    handle_changes(session, ASSIGNED)
    fire_due_clocks(session, now=minutes_after_noon(50))
    publish_policies(session, policy("touch", target="3h", ladder=LADDER))

    apply(session, 55)

    for minute in (100, 144, 150, 180, 400):
        fire_due_clocks(session, now=minutes_after_noon(minute))
    changes = [(it.change.value, it.step, it.occurred_at) for it in announced_changes(session)]
    assert changes == [
        ("started", None, minutes_after_noon(0)),
        ("escalated", "rep", minutes_after_noon(30)),
        ("at_risk", None, minutes_after_noon(48)),
        ("moved", None, minutes_after_noon(55)),
        ("at_risk", None, minutes_after_noon(144)),
        ("escalated", "rep", minutes_after_noon(150)),
        ("breached", "team", minutes_after_noon(180)),
    ]
    with_ids = session.execute(
        text("select count(distinct headers), count(*) from messaging.outbox")
    )
    assert with_ids.one() == (7, 7)


def test_steps_whose_new_time_is_over_do_not_happen(session: Session) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    publish_policies(session, policy("touch", target="50m", ladder=LADDER))
    apply(session, 30)
    fire_due_clocks(session, now=minutes_after_noon(60))
    assert announcements(session) == ["touch started", "touch moved", "touch breached"]


def test_a_policy_that_ended_cancels_its_clocks_with_the_cause(session: Session) -> None:
    publish_policies(session, TOUCH, JOURNEY)
    handle_changes(session, ASSIGNED)
    handle_changes(session, assigned(2, rep="linus"))
    fire_due_clocks(session, now=minutes_after_noon(61))
    publish_policies(session, policy("journey", scope="journey", anchor="qualified", target="9h"))

    assert apply(session, 70, ended="touch").effects == {Effect.CANCELLED: 2}

    clock = stored_clocks(session)["touch/1"]
    assert (clock.state, clock.ended_by) == (State.CANCELLED, "policy_ended")
    assert stored_clocks(session)["journey/0"].agreement_version == 1
    assert outcome_counts(session) == {"cancelled": 2}
    assert announcements(session).count("touch cancelled") == 2
    assert announcements(session).count("touch breached") == 2
    assert apply(session, 80, ended="touch").effects == {}
    answer = replace(step(Change.CONTACTED, 50), sequence=2)
    handle_changes(session, answer, minute=90)
    assert outcome_counts(session) == {"cancelled": 1, "met": 2}
    assert apply(session, 95).effects == {Effect.LATER: 1}


def test_only_a_policy_that_is_not_in_force_is_ended(session: Session) -> None:
    publish_policies(session, TOUCH)
    with pytest.raises(PolicyInForce, match="'touch'"):
        begin(session, ended="touch")
    with pytest.raises(PolicyInForce):
        preview_application(
            session, Policies(SlaPolicy), now=minutes_after_noon(1), policy="touch", limit=1
        )


def test_only_the_version_in_force_is_applied(session: Session) -> None:
    publish_policies(session, TOUCH)
    publish_policies(session, JOURNEY)
    for version in (1, 3):
        with pytest.raises(NotNewest, match="version 2"):
            start_application(
                session,
                Policies(SlaPolicy),
                version,
                actor="ops/maria",
                now=minutes_after_noon(1),
            )
    with pytest.raises(UnknownApplication):
        find_application(session, an_id("none"))


def test_a_preview_says_what_would_change_and_changes_nothing(session: Session) -> None:
    publish_policies(session, TOUCH, JOURNEY)
    for number in range(7):
        handle_changes(session, assigned(number))
    version = publish_policies(session, policy("touch", target="20m"))
    before, announced = stored_clocks(session), announcements(session)
    policies, now = Policies(SlaPolicy), minutes_after_noon(30)

    first = preview_application(session, policies, now=now, limit=4)
    rest = preview_application(session, policies, now=now, after=first.next, limit=4)

    assert (first.version, first.handoffs, rest.handoffs, rest.next) == (version, 4, 3, None)
    assert first.effects + rest.effects == {Effect.BREACHED: 7, Effect.CANCELLED: 7}
    all_at_once = preview_application(session, policies, now=now, limit=100)
    assert len(all_at_once.examples) == 10
    assert {it.after.due_at for it in all_at_once.examples if it.effect is Effect.BREACHED} == {now}
    assert (stored_clocks(session), announcements(session)) == (before, announced)
    assert apply(session, 30).effects == first.effects + rest.effects


def test_each_effect_is_counted(session: Session) -> None:
    tries = {"kind": "attempts", "target": "4h"}
    publish_policies(
        session,
        policy("earlier"),
        policy("later"),
        policy("unchanged"),
        policy("breached"),
        policy("cancelled"),
        policy("met", count=6, **tries),
        policy("kept", target="10m"),
    )
    contact = step(Change.CONTACTED, 5, attempt=True, touch=False, reached=False)
    handle_changes(session, *numbered(step(Change.ASSIGNED), contact))
    publish_policies(
        session,
        policy("earlier", target="50m"),
        policy("later", target="2h"),
        policy("unchanged", warn_at=0.5),
        policy("breached", target="20m"),
        policy("met", count=1, **tries),
        policy("kept", target="10h"),
    )
    assert apply(session).effects == dict.fromkeys(Effect, 1)
    clocks = stored_clocks(session)
    assert clocks["met/1"].ended_at == minutes_after_noon(5)
    assert clocks["unchanged/1"].warn_at == minutes_after_noon(30)


def test_the_same_request_is_the_same_application_and_another_one_replaces_it(
    session: Session,
) -> None:
    publish_policies(session, TOUCH)
    for number in range(3):
        handle_changes(session, assigned(number))
    publish_policies(session, policy("touch", target="2h"))
    first = begin(session, 30)
    assert begin(session, 31) == first
    assert advance(session, 31, limit=1)
    publish_policies(session, policy("touch", target="3h"))

    second = begin(session, 32)

    assert find_application(session, first.id).state is ApplicationState.REPLACED
    while advance(session, 33):
        pass
    assert {it.agreement_version for it in stored_clocks(session).values()} == {3}
    assert [it.id for it in newest_applications(session, limit=5)] == [second.id, first.id]
    assert not advance(session, 34)


def test_a_pause_that_is_reported_after_the_version_was_applied_counts_on_both_sides(
    session: Session,
) -> None:
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    publish_policies(session, policy("touch", target="2h"))
    apply(session, 30)
    handle_changes(session, replace(paused(20, 20), sequence=2), minute=50)
    clock = stored_clocks(session)["touch/1"]
    assert (clock.due_at, clock.paused_for) == (minutes_after_noon(140), minutes(20))
    assert announcements(session) == ["touch started", "touch moved"]


def test_a_breach_that_a_late_report_disproves_is_moved_then(session: Session) -> None:
    """The clock was overdue when the version was applied; that it had been paused is reported afterwards."""
    publish_policies(session, TOUCH)
    handle_changes(session, ASSIGNED)
    fire_due_clocks(session, now=minutes_after_noon(61))
    publish_policies(session, policy("touch", target="2h"))
    apply(session, 70)
    handle_changes(session, replace(paused(20, 60), sequence=2), minute=75)
    clock = stored_clocks(session)["touch/1"]
    assert (clock.due_at, clock.breached_at) == (minutes_after_noon(180), None)
    assert announcements(session)[2:] == ["touch moved", "touch retracted"]
