"""The gauges of the SLA monitor."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine, select

from services.sla_monitor.gauges import set_gauges, set_open_clocks
from services.sla_monitor.sweep import Sweeper
from services.sla_monitor.tables import timers
from shared.db.session import Sessions
from tests.builders import an_id
from tests.services.sla_monitor.builders import due, minutes_after_noon, store

pytestmark = pytest.mark.postgres


def test_the_gauges_count_timers_that_no_sweep_fires(sessions: Sessions, engine: Engine) -> None:
    store(sessions, due(1), due(2))
    with engine.connect() as connection:  # holds one of them, so that no sweep can claim it
        connection.execute(select(timers).where(timers.c.clock_id == an_id(1)).with_for_update())
        assert Sweeper(sessions, time_source=lambda: minutes_after_noon(61)).sweep() == 1
    set_gauges(sessions, lambda: minutes_after_noon(61))
    set_open_clocks(sessions)
    assert REGISTRY.get_sample_value("leadbaton_sla_overdue_timers") == 1
    assert REGISTRY.get_sample_value("leadbaton_sla_open_clocks") == 2
    assert REGISTRY.get_sample_value("leadbaton_sla_open_breaches") == 2
    assert REGISTRY.get_sample_value("leadbaton_sla_at_risk") == 0
    store(sessions, due(3))
    set_gauges(sessions, lambda: minutes_after_noon(61))  # the open ones are counted more rarely
    assert REGISTRY.get_sample_value("leadbaton_sla_overdue_timers") == 2
    assert REGISTRY.get_sample_value("leadbaton_sla_open_clocks") == 2
