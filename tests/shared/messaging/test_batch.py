"""A batch is committed once and as a whole, whichever records fail and whichever service is away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import LogPartition, Message, Record
from shared.contracts.topics import MARKETING_EVENTS
from shared.db.session import Sessions
from shared.errors import Rejected, Unavailable
from shared.messaging import dead_letters, outbox
from shared.messaging.batch import (
    BatchRunner,
    Subscription,
    TooManyDeadLetters,
    TopicBatch,
    decode_records,
)
from shared.messaging.offsets import Fenced, Move, positions
from tests.builders import NOON, marketing_event
from tests.builders import record as record_of
from tests.engine import Ledger

pytestmark = pytest.mark.postgres

PARTITION = LogPartition("marketing.events", UUID(int=1), 0)
Handle = Callable[[Session, Sequence[Message[MarketingEvent]], datetime], None]


class Stale(Rejected):
    code = "stale"


@pytest.fixture
def ledger(sessions: Sessions) -> Ledger:
    with sessions.begin() as session:
        positions(session, "group", [PARTITION])
    return Ledger(sessions)


@pytest.fixture
def runner(sessions: Sessions) -> BatchRunner:
    return BatchRunner("group", sessions, lambda: NOON, dead_letter_limit=4)


def records(*ids: str) -> list[Record]:
    return [
        record_of(MARKETING_EVENTS, marketing_event(id=id_), offset=offset)
        for offset, id_ in enumerate(ids)
    ]


def run(runner: BatchRunner, handle: Handle, records: Sequence[Record]) -> None:
    subscription = Subscription(MARKETING_EVENTS, handle)
    topic_batch = TopicBatch(
        subscription, decode_records(subscription, records, PARTITION.topic_id)
    )
    runner.run([topic_batch], [Move(PARTITION, records[0].offset, records[-1].offset + 1)])


def next_offset(sessions: Sessions) -> int:
    with sessions.begin() as session:
        return positions(session, "group", [PARTITION])[PARTITION]


def dead_letter_facts(sessions: Sessions) -> list[tuple[int, str, int]]:
    with sessions() as session:
        listed = dead_letters.latest(session)
    return sorted((it.offset, it.code, it.attempts) for it in listed)


def failing(ledger: Ledger, faults: Mapping[str, Exception]) -> Handle:
    """A handler that does its work and then raises the fault of each of these events."""

    def handle(
        session: Session, messages: Sequence[Message[MarketingEvent]], now: datetime
    ) -> None:
        ledger(session, messages, now)
        for message in messages:
            if message.payload.id in faults:
                raise faults[message.payload.id]

    return handle


def test_a_batch_is_done_and_the_group_moves_on(
    sessions: Sessions, runner: BatchRunner, ledger: Ledger
) -> None:
    run(runner, ledger, records("a", "b", "c"))
    assert ledger.effect_counts() == {"a": 1, "b": 1, "c": 1}
    assert next_offset(sessions) == 3


def test_a_batch_that_was_done_already_is_refused_whole(
    runner: BatchRunner, ledger: Ledger
) -> None:
    run(runner, ledger, records("a", "b"))
    with pytest.raises(Fenced):
        run(runner, ledger, records("a", "b"))
    assert ledger.effect_counts() == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("fault", "code", "attempts"),
    [(Stale("too old"), "stale", 1), (KeyError("x"), "handler_failed", 3)],
    ids=["rejected at once", "unknown after three attempts"],
)
@pytest.mark.parametrize("bad", ["a", "c", "e"], ids=["first", "middle", "last"])
def test_a_record_that_fails_becomes_a_dead_letter_and_the_others_are_processed_once(
    runner: BatchRunner, ledger: Ledger, fault: Exception, code: str, attempts: int, bad: str
) -> None:
    run(runner, failing(ledger, {bad: fault}), records(*"abcde"))

    assert ledger.effect_counts() == dict.fromkeys(set("abcde") - {bad}, 1)
    assert dead_letter_facts(runner.sessions) == [("abcde".index(bad), code, attempts)]
    assert next_offset(runner.sessions) == 5


def test_a_record_that_succeeds_when_tried_again_is_done(
    sessions: Sessions, runner: BatchRunner, ledger: Ledger
) -> None:
    errors = iter([KeyError("x"), KeyError("x"), KeyError("x")])

    def handle(
        session: Session, messages: Sequence[Message[MarketingEvent]], now: datetime
    ) -> None:
        ledger(session, messages, now)
        error = next(errors, None)
        if error is not None:
            raise error

    run(runner, handle, records("a"))
    assert ledger.effect_counts() == {"a": 1}
    assert dead_letter_facts(sessions) == []


def test_a_record_that_cannot_be_decoded_becomes_a_dead_letter_and_never_reaches_the_handler(
    sessions: Sessions, runner: BatchRunner, ledger: Ledger
) -> None:
    good, noise, future, nothing = records("a", "b", "c", "d")
    batch = [
        good,
        noise._replace(value=b"{not json"),
        future._replace(headers=(("ce_type", b"leadbaton.marketing.events.v9"),)),
        nothing._replace(value=None, key=None),
    ]
    run(runner, ledger, batch)

    assert ledger.effect_counts() == {"a": 1}
    assert dead_letter_facts(sessions) == [
        (1, "undecodable_record", 1),
        (2, "unknown_version", 1),
        (3, "undecodable_record", 1),
    ]


def test_a_handler_is_never_called_with_nothing(
    sessions: Sessions, runner: BatchRunner, ledger: Ledger
) -> None:
    [noise] = records("a")
    run(runner, ledger, [noise._replace(value=b"")])
    assert ledger.handled_count == 0
    assert next_offset(sessions) == 1


def test_a_reason_that_postgresql_cannot_store_is_cut(
    sessions: Sessions, runner: BatchRunner, ledger: Ledger
) -> None:
    run(runner, failing(ledger, {"a": Stale("\x00" * 5_000)}), records("a", "b"))
    assert dead_letter_facts(sessions) == [(0, "stale", 1)]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("select cast(:it as uuid)", "InvalidTextRepresentation 22P02 at test_batch.py:"),
        ("insert into unique_ (it) values (:it), (:it)", "UniqueViolation 23505 at test_batch.py:"),
        ("", "KeyError at test_batch.py:"),
    ],
)
def test_a_reason_holds_nothing_of_the_record(
    sessions: Sessions, runner: BatchRunner, ledger: Ledger, statement: str, reason: str
) -> None:
    def handle(
        session: Session, messages: Sequence[Message[MarketingEvent]], now: datetime
    ) -> None:
        ledger(session, messages, now)
        if statement:
            session.execute(text("create temp table if not exists unique_ (it text primary key)"))
            session.execute(text(statement), {"it": "ada@acme.example"})
        raise KeyError("ada@acme.example")

    run(runner, handle, records("a"))
    with sessions() as session:
        [dead_letter] = dead_letters.latest(session)
    assert dead_letter.reason.startswith(reason)
    assert "ada@" not in dead_letter.reason


def test_values_of_a_record_that_cannot_be_decoded_are_not_in_the_reason(
    sessions: Sessions, runner: BatchRunner, ledger: Ledger
) -> None:
    time, key, value, body = records("a", "b", "c", "d")
    odd = tuple(
        (name, b"ada@acme.example" if name == "ce_time" else content)
        for name, content in time.headers
    )
    batch = [
        time._replace(headers=odd),
        key._replace(key=b"ada@acme.example \xff"),
        value._replace(value=b'{"identity": "ada@acme.example", "source": "ada@acme.example"}'),
        body._replace(value=b"ada@acme.example"),
    ]
    runner.dead_letter_limit = 9
    run(runner, ledger, batch)
    with sessions() as session:
        reasons = [it.reason for it in dead_letters.latest(session)]
    assert len(reasons) == 4
    assert "ada@" not in " ".join(reasons)


def test_an_outage_makes_no_dead_letter_and_moves_no_offset(
    sessions: Sessions, runner: BatchRunner, ledger: Ledger
) -> None:
    with pytest.raises(Unavailable):
        run(runner, failing(ledger, {"b": Unavailable("away")}), records("a", "b"))
    assert ledger.effect_counts() == {}
    assert next_offset(sessions) == 0


def test_an_outage_while_bad_records_are_isolated_makes_no_dead_letter(
    sessions: Sessions, runner: BatchRunner, ledger: Ledger
) -> None:
    faults = {"a": Stale("too old"), "b": Unavailable("away")}
    with pytest.raises(Unavailable):
        run(runner, failing(ledger, faults), records("a", "b"))
    assert dead_letter_facts(sessions) == []
    assert next_offset(sessions) == 0


def test_too_many_dead_letters_in_a_row_stop_the_batch_and_lose_nothing(
    sessions: Sessions, runner: BatchRunner, ledger: Ledger
) -> None:
    broken = failing(ledger, {id_: KeyError("bad deploy") for id_ in "abcd"})
    with pytest.raises(TooManyDeadLetters, match=r"KeyError at test_batch\.py"):
        run(runner, broken, records(*"xabcdy"))
    assert dead_letter_facts(sessions) == []
    assert next_offset(sessions) == 0


def test_dead_letters_are_counted_across_batches_until_a_record_succeeds(
    runner: BatchRunner, ledger: Ledger
) -> None:
    broken = failing(ledger, {id_: Stale("old") for id_ in "abcdefg"})
    run(runner, broken, records(*"abc"))
    assert runner.dead_letters_in_a_row == 3
    with pytest.raises(TooManyDeadLetters):
        run(runner, broken, [it._replace(offset=3) for it in records("d")])
    run(runner, broken, [it._replace(offset=3) for it in records("fine")])
    assert runner.dead_letters_in_a_row == 0


@pytest.mark.usefixtures("ledger")
def test_outbox_rows_of_a_failed_attempt_are_not_published(
    sessions: Sessions, runner: BatchRunner
) -> None:
    def handle(
        session: Session, messages: Sequence[Message[MarketingEvent]], now: datetime
    ) -> None:
        outbox.append(
            session,
            [MARKETING_EVENTS.encode(it.payload, id=it.id, source="t", at=now) for it in messages],
        )
        if any(it.payload.id == "b" for it in messages):
            raise Stale("old")

    run(runner, handle, records("a", "b", "c"))
    with sessions() as session:
        topics = [row.record.topic for row in outbox.unpublished(session, limit=10)]
    assert topics == ["marketing.events", "marketing.events", "marketing.events.dead"]
