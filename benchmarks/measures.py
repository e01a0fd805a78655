"""How long measures, promises and campaigns over 13 weeks take at the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Annotated, Any

import typer
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from benchmarks.installed import EXAMPLES
from benchmarks.machine import Figure, console, postgres, print_figures, print_machine, takes
from services.alignment.api.campaigns import CampaignsParameters, campaigns_report
from services.alignment.api.measures import measures_of
from services.alignment.api.parameters import Parameters
from services.alignment.api.promises import PromiseParameters, promises_to_date
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.handlers.counting import count_oldest_day
from shared.agreement.store import Policies, publish
from shared.db.session import Sessions, engine_for, sessions_on

AT_MOST_S, TIMES = 0.2, 5
END = datetime(2026, 11, 30, tzinfo=UTC)
DAYS = 91
DATES: dict[str, Any] = {
    "since": END.date() - timedelta(days=DAYS),
    "until": END.date() - timedelta(days=1),
}
RESET = """
    truncate alignment.handoffs, alignment.promises, alignment.touches, alignment.stale_days,
        alignment.stale_facts, alignment.stale_handoffs, alignment.stale_leads, alignment.daily_tallies,
        alignment.daily_times, alignment.daily_values, alignment.daily_attainment, alignment.daily_outcomes
"""
HANDOFFS = """
    insert into alignment.handoffs (
        lead_id, qualification, handoff_id, is_announced, qualified_at, agreement_version, tier, source, campaign,
        channel, persona, traits, triggered_at, team, rep, assigned_at, accepted_at, rejected_at, rejection_reason,
        contacted_at, attempts, attempted_at, closed_at, outcome, loss_reason, amount_cents, currency
    )
    with drawn as (
        select
            :day + random() * interval '1 day' as at, random() as fate, random() as ending,
            least(floor(random() ^ 3 * 40), 39)::int as campaign, floor(random() * 25)::int as rep,
            case when random() < 0.6 then 'inbound' else 'enterprise' end as team,
            (array['hot', 'warm', 'standard'])[1 + floor(random() * 3)] as tier,
            (array[null, 'champion', 'economic_buyer', 'user'])[1 + floor(random() * 4)] as persona,
            -ln(random()) * interval '45 s' as until_assigned, -ln(random()) * interval '2 h' as until_accepted,
            -ln(random()) * interval '5 h' as until_contacted, -ln(random()) * interval '20 d' as until_closed,
            array_remove(
                array[
                    case when random() < 0.97 then 'company' end, case when random() < 0.9 then 'country' end,
                    case when random() < 0.5 then 'employees' end, case when random() < 0.8 then 'job_title' end
                ], null
            ) as traits
        from generate_series(1, :number)
    ), followed as (
        select
            *, at + until_assigned as assigned_at,
            case when fate < 0.8 then at + until_assigned + until_accepted end as accepted_at,
            case when fate < 0.7 then at + until_assigned + until_accepted + until_contacted end as contacted_at,
            case
                when fate < 0.7 and ending < 0.012 then 'won' when fate < 0.7 and ending < 0.3 then 'lost'
                when fate < 0.9 and ending > 0.95 then 'recycled'
            end as outcome
        from drawn
    )
    select
        gen_random_uuid(), 1, gen_random_uuid(), true, at, 1, tier, (array['website', 'crm', 'ads'])[1 + campaign % 3],
        'campaign_' || campaign,
        (array['paid_search', 'paid_social', 'email', 'event', 'organic_search', 'referral'])[1 + campaign % 6],
        persona, traits, at - random() * interval '60 s', team, team || '_' || rep, assigned_at, accepted_at,
        case when fate >= 0.8 then assigned_at + interval '20 min' end,
        case when fate >= 0.8 then (array['student', 'no_budget', 'timing', null])[1 + floor(random() * 4)] end,
        contacted_at, case when fate < 0.75 then 2 else 0 end,
        case when fate < 0.75 then array[at + until_contacted, at + 2 * until_contacted] else '{}' end,
        case when outcome is not null then coalesce(contacted_at, assigned_at) + until_closed end, outcome,
        case when outcome = 'lost' then 'price' end, case when outcome = 'won' then 1250000 end,
        case when outcome = 'won' then 'EUR' end
    from followed
"""
WAITING = """
    update alignment.handoffs
    set assigned_at = null, accepted_at = null, contacted_at = null, rejected_at = null, closed_at = null,
        outcome = null
    where qualified_at >= :day and random() < 0.05
"""
LATER = """
    insert into alignment.handoffs (
        lead_id, qualification, handoff_id, is_announced, qualified_at, agreement_version, tier, source, campaign,
        channel, team, rep, assigned_at, accepted_at
    )
    select
        lead_id, 2, gen_random_uuid(), true, closed_at + interval '1 day', 1, tier, source, campaign, channel, team,
        rep, closed_at + interval '1 day', closed_at + interval '2 days'
    from alignment.handoffs where outcome = 'recycled' and closed_at < :last and random() < 0.3
"""
CLOCKS = """
    insert into alignment.promises (clock_id, handoff_id, policy, met_at, breached_at, detected_at, due_on, team, tier)
    select
        gen_random_uuid(), handoff_id, policy, case when is_met then qualified_at end,
        case when not is_met then qualified_at end, qualified_at, (qualified_at at time zone 'UTC')::date, team, tier
    from (
        select *, random() < 0.9 as is_met
        from alignment.handoffs cross join unnest(array['inbound_accept', 'first_touch']) as clock(policy)
        where qualified_at >= :day and qualified_at < :day + interval '1 day'
    ) as handoff
"""


def load(engine: Engine, handoffs: int) -> float:
    """Store so many handoffs of 13 weeks, with what became of them and two clocks each, and count every day.

    Returns how long the counting of a day took.
    """
    sessions = sessions_on(engine)
    days = [END - timedelta(days=it) for it in range(DAYS, 0, -1)]
    with sessions.begin() as session:
        session.execute(text(RESET))
        for day in days:
            session.execute(text(HANDOFFS), {"day": day, "number": handoffs // DAYS})
        session.execute(text(WAITING), {"day": END - timedelta(days=1)})
        session.execute(text(LATER), {"last": END - timedelta(days=1)})
        for day in days:
            session.execute(text(CLOCKS), {"day": day})
    _vacuum(engine)
    counting_s = _count(sessions)
    _vacuum(engine)
    return counting_s


def _count(sessions: Sessions) -> float:
    policies, is_counted, days = Policies(AlignmentPolicy), True, -1
    began_s = time.monotonic()
    while is_counted:
        with sessions.begin() as session:
            is_counted = count_oldest_day(session, policies)
        days += 1
    return (time.monotonic() - began_s) / max(days, 1)


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))


Report = Callable[[Session], object]


def _reports(policies: Policies[AlignmentPolicy]) -> dict[str, Report]:
    def measures(**narrowed: Any) -> Report:
        parameters = Parameters.model_validate({**DATES, **narrowed})
        return lambda session: measures_of(session, policies, parameters, END)

    def campaigns(session: Session) -> object:
        policy = policies.current(session)
        return campaigns_report(
            session, CampaignsParameters.model_validate(DATES), policy, now=END, limit=100
        )

    promises = PromiseParameters.model_validate(DATES)
    return {
        "measures": measures(),
        "measures of a team": measures(team="inbound"),
        "measures of a campaign": measures(campaign="campaign_3"),
        "measures by a condition on channels": measures(where='channel in ["email", "event"]'),
        "promises": lambda session: promises_to_date(session, policies, promises, END),
        "campaigns": campaigns,
    }


def reports(engine: Engine, handoffs: int) -> Iterator[Figure]:
    """The time at the database of each report over 13 weeks, all counted, and with two days that are not."""
    counting_s = load(engine, handoffs)
    of = f"{handoffs:,} handoffs"
    yield takes(f"{of}, counting of a day", counting_s)
    sessions = sessions_on(engine)
    named = _reports(Policies(AlignmentPolicy))
    for name, report in named.items():
        yield _took(engine, sessions, f"{of}, {name}", report)
    with sessions.begin() as session:
        stale = (
            "insert into alignment.stale_days (day) values (date '2026-11-29'), (date '2026-11-03')"
        )
        session.execute(text(stale))
    for name in ("measures", "promises", "campaigns"):
        yield _took(engine, sessions, f"{of}, {name}, two stale days", named[name])


def _took(engine: Engine, sessions: Sessions, name: str, report: Report) -> Figure:
    took_s = []
    for _ in range(TIMES):
        with sessions() as session, timed(engine) as statements_s:
            report(session)
        took_s.append(sum(statements_s))
    return takes(name, median(took_s), at_most_s=AT_MOST_S)


@contextmanager
def timed(engine: Engine) -> Iterator[list[float]]:
    """How long each statement takes until its rows are here."""
    began_s: list[float] = []
    statements_s: list[float] = []

    def before(*_: object) -> None:
        began_s.append(time.monotonic())

    def after(*_: object) -> None:
        statements_s.append(time.monotonic() - began_s[-1])

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield statements_s
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def publish_example(engine: Engine) -> None:
    """Publish the example's agreement, with promises of both sides, as version 1."""
    with sessions_on(engine).begin() as session:
        source = (EXAMPLES / "agreement.yaml").read_text()
        publish(session, source, by="benchmark", now=END - timedelta(days=2 * DAYS))


def main(
    sizes: Annotated[str, typer.Option(help="Handoffs of the reports.")] = "10000,100000,1000000",
) -> None:
    """Measure, print, and exit with 1 if a line is not held."""
    print_machine()
    figures = []
    with postgres() as server:
        engine = engine_for(server.url())
        publish_example(engine)
        for size in map(int, sizes.split(",")):
            for figure in reports(engine, size):
                console.print(f"[dim]{figure.name}: {figure.measured}[/]")
                figures.append(figure)
        engine.dispose()
    raise typer.Exit(print_figures("Measures, promises and campaigns over 13 weeks", figures))


if __name__ == "__main__":
    typer.run(main)
