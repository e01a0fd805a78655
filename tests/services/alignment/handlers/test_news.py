"""Whatever the order of news, their batches and repetitions, the facts are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from uuid import UUID

import pytest
from sqlalchemy import Text, cast, column, select
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.handlers.counting import count_oldest_day
from services.alignment.queries.reports import funnels_by
from services.alignment.queries.selection import GroupBy
from services.alignment.tables import changes, handoffs, promises, touches
from shared.agreement.store import Policies
from shared.contracts.payloads import (
    Change,
    ClockChange,
    HandoffChanged,
    LeadQualified,
    Qualified,
    SlaChanged,
)
from shared.contracts.touches import TouchCause
from tests.builders import an_id
from tests.seeds import random_of
from tests.services.alignment.builders import (
    EVERYTHING,
    News,
    after_noon,
    history,
    lead_touched,
    numbered,
    qualified,
    random_news,
    read,
    step,
    stored_facts,
)
from tests.services.alignment.folding import all_facts, check_reports

pytestmark = pytest.mark.postgres


def test_a_qualification_is_counted_before_routing_has_seen_it(session: Session) -> None:
    read(session, qualified())

    [facts] = stored_facts(session)
    assert (facts.lead_id, facts.qualification) == (an_id("ada"), 1)
    assert (facts.handoff_id, facts.team) == (None, None)
    assert (facts.campaign, facts.source, facts.qualified_at) == (
        "autumn",
        "website",
        after_noon(0),
    )


def test_until_scoring_was_read_routing_says_what_it_knows_of_the_lead(session: Session) -> None:
    accepted = step(Change.ACCEPTED, 5, tier="warm", campaign="spring")
    read(session, *history(accepted))

    [facts] = stored_facts(session)
    assert not facts.is_announced
    assert (facts.tier, facts.campaign, facts.qualified_at) == ("warm", "spring", after_noon(0))
    assert facts.fit is None

    read(session, qualified(tier="hot"), *history(accepted, step(Change.CONTACTED, 7)))

    [facts] = stored_facts(session)
    assert facts.is_announced
    assert (facts.tier, facts.campaign) == ("hot", "autumn")
    assert (facts.team, facts.rep, facts.accepted_at) == ("sales", "grace", after_noon(5))


def test_news_that_are_read_again_change_no_row(session: Session) -> None:
    news: list[News] = [lead_touched("autumn"), qualified(), *history(step(Change.ACCEPTED, 5))]
    versions = select(cast(column("ctid"), Text)).select_from(handoffs)
    read(session, *news)
    before = session.scalars(versions).all()

    read(session, *news)

    assert session.scalars(versions).all() == before


def test_a_lead_that_ceased_to_qualify_had_qualified(session: Session) -> None:
    read(session, qualified(), qualified(change=Qualified.CEASED, at=after_noon(5)))
    read(session, qualified(lead="linus", change=Qualified.CEASED))

    [facts] = stored_facts(session)
    assert facts.qualified_at == after_noon(0)


def test_each_qualification_of_a_lead_has_its_own_facts(session: Session) -> None:
    lost = step(Change.LOST, 5, reason="budget", qualification=1)
    read(session, *numbered(step(Change.ASSIGNED), lost), qualified(qualification=2))

    first, second = sorted(stored_facts(session), key=lambda it: it.qualification)
    assert (first.outcome, first.loss_reason) == ("lost", "budget")
    assert second.outcome is None


def test_a_merged_handoff_is_counted_apart(session: Session) -> None:
    read(session, qualified(), *history(step(Change.RETURNED, 5, rep=None, reason="merged")))

    [funnel] = funnels_by(session, EVERYTHING, GroupBy.TEAM)
    counts = funnel.counts
    assert (counts.merged, counts.qualified, counts.assigned) == (1, 0, 0)
    assert stored_facts(session) == []


def test_no_name_of_a_person_is_stored(session: Session) -> None:
    read(session, qualified(), *history(step(Change.ACCEPTED, 5, actor="ops/Grace Hopper")))

    for table in (changes, handoffs, promises):
        stored = str(session.execute(select(table)).all())
        assert not any(name in stored for name in ("Lovelace", "Hopper", "ada@"))


class Oracle:
    """Counts news by plain loops over the whole list, and knows nothing of the service."""

    def __init__(self, news: Sequence[News]) -> None:
        self.stages: Counter[tuple[str, str | None]] = Counter()
        self.cents: Counter[str | None] = Counter()
        self.wins_of_unknown_worth = 0
        self.promises: Counter[tuple[str, str | None]] = Counter()
        for lead in (it for it in news if isinstance(it, LeadQualified)):
            campaign = lead.context.last_campaign.get("name")
            steps = [
                it
                for it in news
                if isinstance(it, HandoffChanged)
                and (it.lead_id, it.qualification) == (lead.lead_id, lead.qualification)
            ]
            self._count(campaign, sorted(steps, key=lambda it: it.sequence))
            clocks = [
                it
                for it in news
                if isinstance(it, SlaChanged) and it.handoff_id == steps[0].handoff_id
            ]
            self._count_promise(campaign, clocks, merged=steps[-1].reason == "merged")

    def _count(self, campaign: str | None, steps: Sequence[HandoffChanged]) -> None:
        if steps[-1].reason == "merged":
            self.stages["merged", campaign] += 1
            return
        kinds = {it.change for it in steps}
        accepted = bool(kinds & {Change.ACCEPTED, Change.CONTACTED, Change.WON})
        self.stages["qualified", campaign] += 1
        self.stages["accepted", campaign] += accepted
        self.stages["rejected", campaign] += Change.REJECTED in kinds and not accepted
        self.stages["contacted", campaign] += bool(kinds & {Change.CONTACTED, Change.WON})
        self.stages["lost", campaign] += Change.LOST in kinds
        if Change.WON in kinds:
            self.stages["won", campaign] += 1
            amount = steps[-1].amount
            self.wins_of_unknown_worth += amount is None
            self.cents[campaign] += round((amount or 0) * 100)

    def _count_promise(
        self, campaign: str | None, clocks: Sequence[SlaChanged], *, merged: bool
    ) -> None:
        last = {it.change: it.occurred_at for it in clocks}
        breached, retracted = last.get(ClockChange.BREACHED), last.get(ClockChange.RETRACTED)
        if merged:
            return
        if breached is not None and (retracted is None or breached > retracted):
            self.promises["broken", campaign] += 1
        elif ClockChange.MET in last and (retracted is None or last[ClockChange.MET] > retracted):
            self.promises["met", campaign] += 1


def counted(session: Session) -> tuple[Counter[tuple[str, str | None]], ...]:
    """What the service counts by campaign: stages, promises, cents of wins, wins of unknown worth."""
    stages: Counter[tuple[str, str | None]] = Counter()
    kept: Counter[tuple[str, str | None]] = Counter()
    cents: Counter[tuple[str, str | None]] = Counter()
    for funnel in funnels_by(session, EVERYTHING, GroupBy.CAMPAIGN):
        group, fields = funnel.counts.group, funnel.counts._asdict()
        for name in ("qualified", "accepted", "rejected", "contacted", "won", "lost", "merged"):
            stages[name, group] += fields[name]
        kept["met", group] += funnel.promises_met
        kept["broken", group] += funnel.promises_broken
        for win_sum in funnel.wins:
            cents["cents", group] += win_sum.cents
            cents["unknown", None] += win_sum.wins if win_sum.currency is None else 0
    return +stages, +kept, +cents


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("later", [9, 10])
def test_of_two_announcements_of_touches_one_is_kept_in_any_order(
    session: Session, *, is_reversed: bool, later: float
) -> None:
    """The later one, and of two at one instant the one that has more."""
    news = [lead_touched("autumn"), lead_touched("autumn", "winter", minute=later)]

    read(session, *(reversed(news) if is_reversed else news))

    [kept] = session.scalars(select(touches.c.touches))
    assert [it["campaign"] for it in kept] == ["autumn", "winter"]


def test_the_channel_is_the_same_in_whatever_order_the_news_come(session: Session) -> None:
    """The touches that are announced with the closing have left out the last one before the qualification."""
    orders = list(permutations(range(4)))
    for number, order in enumerate(orders):
        lead = f"lead {number}"
        news: list[list[News]] = [
            [qualified(lead, persona="champion")],
            [*numbered(step(Change.ASSIGNED, lead=lead), step(Change.WON, 9, lead=lead))],
            [lead_touched(None, lead=lead, cause=TouchCause.QUALIFIED, minute=0, channel="event")],
            [lead_touched(None, None, lead=lead, channel="email")],
        ]
        for at in order:
            read(session, *news[at])

    kept = stored_facts(session)
    assert [(it.channel, it.persona) for it in kept] == [("event", "champion")] * len(orders)
    assert {it.traits for it in kept} == {None}


def test_touches_alone_are_no_handoff_yet(session: Session) -> None:
    read(session, lead_touched("autumn"))
    assert stored_facts(session) == []

    read(session, qualified())
    assert [it.channel for it in stored_facts(session)] == ["email"]


def test_a_lead_without_touches_before_it_qualified_has_the_channel_of_its_first(
    session: Session,
) -> None:
    read(session, lead_touched(cause=TouchCause.QUALIFIED, minute=0), qualified())
    assert [it.channel for it in stored_facts(session)] == [None]

    read(session, lead_touched("autumn", channel="social"))
    assert [it.channel for it in stored_facts(session)] == ["social"]


@pytest.mark.parametrize("seed", range(4))
def test_the_service_counts_what_a_plain_fold_counts_in_any_order(
    session: Session, seed: int
) -> None:
    chance = random_of(seed)
    news = [it for number in range(60) for it in random_news(chance, f"lead {seed}/{number}")]
    oracle = Oracle(news)
    repeated = [*news, *chance.sample(news, len(news) // 3)]
    chance.shuffle(repeated)

    while repeated:
        size = chance.randrange(1, 80)
        batch, repeated = repeated[:size], repeated[size:]
        read(session, *sorted(batch, key=lambda it: type(it).__name__))
        if chance.random() < 0.5:
            count_oldest_day(session, Policies(AlignmentPolicy))

    check_reports(session)
    assert len(all_facts(session)) == sum(isinstance(it, LeadQualified) for it in news)
    stages, kept, cents = counted(session)
    assert stages == +oracle.stages
    assert kept == +oracle.promises
    assert cents == +Counter(
        {
            **{("cents", campaign): it for campaign, it in oracle.cents.items()},
            ("unknown", None): oracle.wins_of_unknown_worth,
        }
    )


def test_a_rebuild_in_another_order_gives_the_same_rows(session: Session) -> None:
    chance = random_of(11)
    news = [it for number in range(20) for it in random_news(chance, f"lead {number}")]
    read(session, *news)
    before = facts_by_lead(session)
    for table in (changes, handoffs, promises):
        session.execute(table.delete())

    chance.shuffle(news)
    read(session, *news)

    assert before
    assert facts_by_lead(session) == before


def facts_by_lead(session: Session) -> dict[tuple[UUID, int], HandoffFacts]:
    """The facts of every handoff that is not merged."""
    return {(it.lead_id, it.qualification): it for it in stored_facts(session)}
