"""A database error that is no outage ends the sweep."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from services.sla_monitor.queries.clocks import save_clocks
from services.sla_monitor.sweep import sweep
from shared.contracts.payloads import Change
from shared.db.outages import OUTAGES, class_and_code
from shared.db.session import Sessions
from tests.damage import TOO_LARGE, refuse_writes, run_statement, stop_after_patience
from tests.services.sla_monitor.builders import TOUCH, derived_clocks, step

pytestmark = pytest.mark.postgres


def refuse_timers(sessions: Sessions) -> None:
    refuse_writes(sessions, "sla.timers")


def refuse_announcements(sessions: Sessions) -> None:
    refuse_writes(sessions, "messaging.outbox")


def lose_a_column(sessions: Sessions) -> None:
    run_statement(sessions, "alter table sla.timers rename column fire_at to elsewhere")


@pytest.mark.parametrize(
    ("damage", "sqlstate"),
    [(refuse_timers, TOO_LARGE), (refuse_announcements, TOO_LARGE), (lose_a_column, "42703")],
    ids=["timers", "announcements", "no column"],
)
def test_an_error_that_is_no_outage_ends_the_sweep(
    sessions: Sessions, engine: Engine, damage: Callable[[Sessions], None], sqlstate: str
) -> None:
    with sessions.begin() as session:
        save_clocks(session, list(derived_clocks([step(Change.ASSIGNED)], TOUCH).values()))
    damage(sessions)

    with stop_after_patience() as stop, pytest.raises(OUTAGES) as error:
        sweep(engine, stop=stop)

    assert class_and_code(error.value).endswith(f" {sqlstate}")
