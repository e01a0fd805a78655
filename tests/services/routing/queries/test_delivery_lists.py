"""Lists of deliveries read what they show, however many deliveries there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.routing.queries.delivery_lists import DeliveryFilter, list_deliveries
from shared.db.time_range import TimeRange
from tests.builders import NOON

pytestmark = pytest.mark.postgres

MANY = text("""
    insert into routing.deliveries
        (id, endpoint, handoff_id, hop, type, body, state, next_attempt_at, created_at)
    select gen_random_uuid(), 'rep/grace', gen_random_uuid(), 1, 'handoff.assigned', '', 'delivered', :noon,
        :noon + minute * interval '1 minute'
    from generate_series(1, 20000) as minute
""")
ROWS_READ = text("""
    select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables
    where relid = 'routing.deliveries'::regclass
""")


@pytest.mark.parametrize(
    ("since", "until", "newest"),
    [(100, 130, 129), (None, 130, 129), (19_000, None, 20_000), (None, None, 20_000)],
    ids=["far back", "until far back", "lately", "all"],
)
def test_a_list_reads_only_the_deliveries_that_it_shows(
    session: Session, since: int | None, until: int | None, newest: int
) -> None:
    session.execute(MANY, {"noon": NOON})
    session.execute(text("analyze routing.deliveries"))
    start, end = (
        None if minute is None else NOON + timedelta(minutes=minute) for minute in (since, until)
    )
    before = session.scalars(ROWS_READ).one()

    listed = list_deliveries(session, DeliveryFilter(created=TimeRange(start, end)), limit=20)

    assert [it.created_at for it in listed] == [
        NOON + timedelta(minutes=newest - number) for number in range(20)
    ]
    assert session.scalars(ROWS_READ).one() - before <= 40
