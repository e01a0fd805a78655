"""Holdings are the same, however often and in whatever order changes of a handoff come."""

from __future__ import annotations

import pytest

from services.scoring.queries.holdings import holdings_of
from shared.contracts.payloads import Change
from tests.builders import NOON, handoff_changed, minutes
from tests.services.scoring.conftest import Worker

pytestmark = pytest.mark.postgres


def test_a_handoff_has_one_holder_however_often_its_changes_come(worker: Worker) -> None:
    lost_at = NOON + minutes(5)
    assigned = handoff_changed()
    moved = [
        handoff_changed(Change.REJECTED, sequence=2, rep=None, at=NOON, recorded_at=lost_at),
        handoff_changed(Change.REASSIGNED, sequence=3, rep="linus", at=NOON + minutes(6)),
        handoff_changed(Change.LOST, sequence=4, rep="linus", at=NOON + minutes(7)),
    ]
    for changes in ([assigned], moved, [assigned], [*moved, assigned]):
        worker.follow(*changes)

    holdings = holdings_of(worker.session, [assigned.handoff_id])
    assert {it.rep: (it.lead_id, it.until) for it in holdings} == {
        "grace": (assigned.lead_id, lost_at),
        "linus": (assigned.lead_id, None),
    }
