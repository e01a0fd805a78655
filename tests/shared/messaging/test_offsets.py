"""Offsets are moved only by who knows where they are."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from shared.contracts.topic import LogPartition
from shared.db.session import Sessions
from shared.messaging.offsets import Fenced, Move, advance, positions

pytestmark = pytest.mark.postgres

FIRST = LogPartition("leads.qualified", UUID(int=1), 0)
SECOND = LogPartition("leads.qualified", UUID(int=1), 1)
MADE_AGAIN = LogPartition("leads.qualified", UUID(int=2), 0)


def test_a_place_never_seen_begins_at_zero(session: Session) -> None:
    assert positions(session, "group", [FIRST, SECOND]) == {FIRST: 0, SECOND: 0}


def test_a_move_is_seen_by_the_next_reader(session: Session) -> None:
    positions(session, "group", [FIRST, SECOND])
    advance(session, "group", [Move(FIRST, 0, 10), Move(SECOND, 0, 5)])
    advance(session, "group", [Move(FIRST, 10, 11)])
    assert positions(session, "group", [FIRST, SECOND]) == {FIRST: 11, SECOND: 5}


def test_a_group_does_not_move_another(session: Session) -> None:
    positions(session, "one", [FIRST])
    advance(session, "one", [Move(FIRST, 0, 10)])
    assert positions(session, "another", [FIRST]) == {FIRST: 0}


def test_a_log_that_was_made_again_begins_at_zero(session: Session) -> None:
    positions(session, "group", [FIRST])
    advance(session, "group", [Move(FIRST, 0, 10)])
    assert positions(session, "group", [MADE_AGAIN]) == {MADE_AGAIN: 0}


def test_who_is_behind_is_fenced_although_the_rest_of_the_batch_is_right(session: Session) -> None:
    positions(session, "group", [FIRST, SECOND])
    advance(session, "group", [Move(FIRST, 0, 10)])
    with pytest.raises(Fenced):
        advance(session, "group", [Move(FIRST, 0, 10), Move(SECOND, 0, 5)])


def test_of_two_transactions_that_move_the_same_offset_the_second_is_fenced(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        positions(session, "group", [FIRST])
    with sessions.begin() as first_session:
        advance(first_session, "group", [Move(FIRST, 0, 10)])
    with pytest.raises(Fenced), sessions.begin() as second_session:
        advance(second_session, "group", [Move(FIRST, 0, 7)])
    with sessions.begin() as session:
        assert positions(session, "group", [FIRST]) == {FIRST: 10}
