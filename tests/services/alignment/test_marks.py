"""Tables of marks, which every report reads whole."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.alignment.tables import handoffs

pytestmark = pytest.mark.postgres

MARKS = sorted(it for it in handoffs.metadata.tables if it.startswith("alignment.stale_"))


@pytest.mark.parametrize("table", MARKS)
def test_a_table_of_marks_shrinks_again_however_few_of_its_pages_hold_dead_rows(
    session: Session, table: str
) -> None:
    options = text("select reloptions from pg_class where oid = cast(:table as regclass)")

    assert session.scalar(options, {"table": table}) == ["vacuum_index_cleanup=on"]
