"""Dead letters keep the bytes of their record and the reason, and are replayed once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.contracts.topic import Record
from shared.db.tables import dead_letters as table
from shared.messaging import dead_letters, metrics, outbox
from shared.messaging.dead_letters import DeadLetter
from tests.builders import NOON, minutes

pytestmark = pytest.mark.postgres

LOG = UUID(int=7)


def dead_letter(
    offset: int, *, topic: str = "leads.qualified", code: str = "unknown_version"
) -> DeadLetter:
    record = Record(topic, 2, offset, b"key", b"\x00bytes", (("ce_type", b"\xff"),))
    return DeadLetter(record, LOG, code, "it says v9", 1, NOON, NOON + minutes(1))


def test_dead_letters_of_a_batch_are_counted_by_topic_and_code() -> None:
    labels = {"group": "leadbaton.sla", "topic": "leads.qualified", "code": "counted"}
    metrics.batch_done("leadbaton.sla", [], [dead_letter(1, code="counted")] * 2, 0.1)
    assert REGISTRY.get_sample_value("leadbaton_dead_letters_total", labels) == 2


def published(session: Session) -> list[tuple[str, bytes | None, bytes | None, dict[str, bytes]]]:
    rows = outbox.unpublished(session, limit=100)
    return [
        (row.record.topic, row.record.key, row.record.value, dict(row.record.headers))
        for row in rows
    ]


def test_a_dead_letter_is_kept_and_copied_with_the_bytes_and_the_reason(session: Session) -> None:
    dead_letters.add(session, "leadbaton.sla", [dead_letter(41)])

    [listed] = dead_letters.latest(session)
    assert (listed.group, listed.topic, listed.partition, listed.offset) == (
        "leadbaton.sla",
        "leads.qualified",
        2,
        41,
    )
    assert session.execute(select(table.c.key, table.c.value)).one() == (b"key", b"\x00bytes")
    assert published(session) == [
        (
            "leads.qualified.dead",
            b"key",
            b"\x00bytes",
            {
                "ce_type": b"\xff",
                "dead_code": b"unknown_version",
                "dead_reason": b"it says v9",
                "dead_group": b"leadbaton.sla",
                "dead_topic": b"leads.qualified",
                "dead_partition": b"2",
                "dead_offset": b"41",
                "dead_attempts": b"1",
                "dead_first_at": b"2026-11-18T12:00:00+00:00",
                "dead_last_at": b"2026-11-18T12:01:00+00:00",
            },
        )
    ]


@pytest.mark.parametrize(("key", "value"), [(None, b"v"), (b"k", None), (b"", b"")])
def test_a_copy_and_a_replay_lack_the_key_or_value_that_the_record_lacks(
    session: Session, key: bytes | None, value: bytes | None
) -> None:
    record = Record("leads.qualified", 2, 41, key, value, ())
    template = dead_letter(41)
    incomplete = DeadLetter(record, LOG, template.code, template.reason, 1, NOON, NOON)
    dead_letters.add(session, "leadbaton.sla", [incomplete])
    dead_letters.replay(session, now=NOON)

    copied, replayed = published(session)
    assert copied[1:3] == replayed[1:3] == (key, value)


def test_without_dead_letters_nothing_is_published(session: Session) -> None:
    dead_letters.add(session, "leadbaton.sla", [])
    assert published(session) == []


def test_a_list_can_be_narrowed_and_shows_the_newest_first(session: Session) -> None:
    dead_letters.add(
        session,
        "leadbaton.sla",
        [
            dead_letter(1),
            dead_letter(2, code="handler_failed"),
            dead_letter(3, topic="sla.changed"),
        ],
    )

    def offsets(**narrowed: Any) -> list[int]:
        return [it.offset for it in dead_letters.latest(session, **narrowed)]

    assert offsets() == [3, 2, 1]
    assert offsets(limit=1) == [3]
    assert offsets(topic="leads.qualified") == [2, 1]
    assert offsets(code="handler_failed") == [2]


def test_a_dead_letter_is_replayed_as_it_was_and_only_once(session: Session) -> None:
    dead_letters.add(session, "leadbaton.sla", [dead_letter(1), dead_letter(2)])
    first, second = sorted(it.id for it in dead_letters.latest(session))
    copies = len(published(session))

    assert dead_letters.replay(session, now=NOON, ids=[first]) == [first]
    assert dead_letters.replay(session, now=NOON, ids=[first]) == []
    assert dead_letters.replay(session, now=NOON) == [second]

    assert (
        published(session)[copies:]
        == [("leads.qualified", b"key", b"\x00bytes", {"ce_type": b"\xff"})] * 2
    )
    assert all(it.replayed_at == NOON for it in dead_letters.latest(session))


def test_a_topic_is_replayed_without_the_others(session: Session) -> None:
    dead_letters.add(
        session, "leadbaton.sla", [dead_letter(1), dead_letter(2, topic="sla.changed")]
    )
    assert len(dead_letters.replay(session, now=NOON, topic="sla.changed")) == 1
    assert dead_letters.count_unreplayed(session) == 1
