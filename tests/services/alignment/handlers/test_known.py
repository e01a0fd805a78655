"""Known leads are kept as their last records have them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.alignment.tables import leads
from shared.contracts.known import LeadKnown
from tests.builders import NOON, an_id, minutes
from tests.services.alignment.builders import lead_known, read

pytestmark = pytest.mark.postgres

RECORDS = st.builds(
    lambda lead, sequence: lead_known(
        lead=lead,
        sequence=sequence,
        known_at=NOON - minutes(sequence),
        engaged_at=NOON if sequence > 1 else None,
        campaign=f"campaign {sequence}",
        merged_into=an_id("ada") if sequence == 5 else None,
    ),
    st.sampled_from(["ada", "bob", "eve"]),
    st.integers(1, 5),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RECORDS, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_order_batches_and_repetitions_do_not_matter(
    session: Session, records: list[LeadKnown], chance: Random
) -> None:
    last = {it.lead_id: it for it in sorted(records, key=lambda it: it.sequence)}
    sent = [*records, *chance.choices(records, k=3)]
    chance.shuffle(sent)
    with session.begin_nested() as undone:
        while sent:
            size = chance.randint(1, len(sent))
            read(session, *sent[:size])
            sent = sent[size:]

        stored = {row.lead_id: row for row in session.execute(select(leads))}
        undone.rollback()

    assert stored.keys() == last.keys()
    for lead_id, record in last.items():
        row = stored[lead_id]
        for name in ("sequence", "known_at", "engaged_at", "campaign", "merged_into"):
            assert getattr(row, name) == getattr(record, name)


def test_of_no_records_nothing_is_kept(session: Session) -> None:
    read(session)

    assert session.execute(select(leads)).all() == []
