"""Handoffs of reps on time off: the worker looks for them each second, and reads no more than it must."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.routing.domain.escalations import Terms
from services.routing.queries.escalations import kept_while_away, terms_while_away
from shared.db.session import Sessions
from tests.builders import NOON, days
from tests.plans import rows_read, scans, settle

pytestmark = pytest.mark.postgres

HANDOFFS, REPS, UNACCEPTED = 30_000, 5_000, 120
MAX_READ = 4 * UNACCEPTED
"""Rows of one scan: the index entries of unaccepted handoffs, or the absences of one rep, for each of these."""

_HANDOFFS = text("""
    insert into routing.handoffs (
        id, lead_id, qualification, state, team, rule, rep, hop, sequence, tier, tier_rank, qualified_at,
        assigned_at, closed_at, agreement_version, lead
    )
    select md5('h' || n)::uuid, md5('l' || n)::uuid, 1,
        case when n <= :unaccepted then 'assigned' when n <= 10 * :unaccepted then 'contacted' else 'won' end,
        'team_' || n % 3, 'all', 'rep_' || n % 200, 1, 1, 'standard', 0, :now, :now,
        case when n > 10 * :unaccepted then :now end, 1, '{}'
    from generate_series(1, :handoffs) as n
""")
_REPS = text("""
    insert into routing.reps (
        id, name, email, team, position, territories, languages, skills, segments, weight, active, time_off
    )
    select 'rep_' || n, 'Rep', n || '@sales.example.com', 'team_0', n, '{}', '{}', '{}', '{}', 1, true,
        jsonb_build_array(
            jsonb_build_array(:now - interval '9 days', :now - interval '8 days'),
            jsonb_build_array(
                :now + interval '1 day' * case when n % 50 = 7 then -1 else 1 end, :now + interval '2 days'
            )
        )
    from generate_series(0, :reps - 1) as n
""")


@pytest.fixture(scope="module")
def filled(module_sessions: Sessions) -> Sessions:
    """Many handoffs, of which a few are not accepted, and many reps; one of fifty is on time off now."""
    with module_sessions.begin() as session:
        counts = {"handoffs": HANDOFFS, "unaccepted": UNACCEPTED}
        session.execute(_HANDOFFS, {"now": NOON, **counts})
        session.execute(_REPS, {"now": NOON, "reps": REPS})
    settle(module_sessions, "routing.handoffs, routing.reps, routing.escalations")
    return module_sessions


@pytest.fixture
def reading(filled: Sessions) -> Iterator[Session]:
    """A session on that database."""
    with filled() as session:
        yield session


TERMS = [Terms(1, "standard", f"team_{it}") for it in range(3)]
AWAY = {f"rep_{it}" for it in (7, 57, 107)}
"""Reps of unaccepted handoffs who are on time off."""


def test_the_handoffs_of_reps_on_time_off_are_looked_for_by_indexes(reading: Session) -> None:
    max_hops = dict.fromkeys(TERMS, 3)
    for read in (terms_while_away, partial(kept_while_away, max_hops=max_hops, limit=200)):
        nodes = scans(reading, partial(read, reading, now=NOON))

        assert nodes
        large = [it for it in nodes if it.get("Relation Name") in ("handoffs", "reps")]
        assert all("Seq Scan" not in it["Node Type"] for it in large), large
        assert max(map(rows_read, nodes)) <= MAX_READ, nodes


def test_handoffs_of_reps_on_time_off_are_those_that_they_have_not_accepted(
    reading: Session,
) -> None:
    assert set(terms_while_away(reading, now=NOON)) == {
        Terms(1, "standard", f"team_{it % 3}") for it in (7, 57, 107)
    }
    kept = kept_while_away(reading, dict.fromkeys(TERMS, 3), now=NOON, limit=200)
    assert {it.rep for it in kept} == AWAY
    assert kept_while_away(reading, dict.fromkeys(TERMS, 1), now=NOON, limit=200) == []
    assert {it.rep for it in kept_while_away(reading, {TERMS[1]: 3}, now=NOON, limit=9)} == {
        "rep_7"
    }
    assert terms_while_away(reading, now=NOON + days(5)) == []
