"""Due clocks: how late they are flagged, how many a second, and whether any is lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event
from time import perf_counter

import psycopg
from sqlalchemy import Engine, text

from benchmarks.clocks.load import settle
from benchmarks.clocks.sweepers import make_due, sweeping, wait_until
from benchmarks.machine import Figure, counts, takes
from shared.clock import utc_now

RATE = 200
KILLS = 4


def burst(engine: Engine, count: int, *, sweepers: int) -> Iterator[Figure]:
    """Clocks that are all due at one instant, beside a bare update of as many rows, which announces nothing."""
    floor_s = _bare_burst(engine, count)
    at = _soon(10 + count * 2e-4)
    make_due(engine, count, at)
    settle(engine, "vacuum sla.clocks, sla.timers")
    before = _last_announcement(engine)
    with sweeping(engine, sweepers):
        _in_time(at)
        _wait_for_announcements(engine, before + count)
        wait_until(lambda: _unflagged(engine, at, at) == 0)
    took_s = max(_lateness_s(engine, at, at))
    name = f"{count:,} due at one instant, {sweepers} sweeper{'s' * (sweepers > 1)}"
    yield takes(name, took_s, at_most_s=5, floor_s=floor_s)


_BARE = """
    update sla.timers set breached_at = fire_at, detected_at = now(), fire_at = null
    where clock_id = any (array(
        select clock_id from sla.timers where fire_at between %(low)s and %(now)s
        order by fire_at limit %(limit)s for update skip locked
    ))
    returning *
"""


def _bare_burst(engine: Engine, count: int) -> float:
    at = _soon(3600)
    make_due(engine, count, at)
    settle(engine, "vacuum sla.clocks, sla.timers")
    with _bare(engine) as connection:
        started = perf_counter()
        done = connection.execute(_BARE, {"low": at, "now": at, "limit": count}).fetchall()
        took_s = perf_counter() - started
    assert len(done) == count
    return took_s


def lateness(engine: Engine, seconds: int) -> Iterator[Figure]:
    """The time from due to the commit that flags it, in a steady stream of due clocks."""
    count = RATE * seconds
    floor = _bare_lateness(engine, count)
    first = _soon(8)
    make_due(engine, count, first, apart_s=1 / RATE)
    last = first + timedelta(seconds=seconds + 1)
    with sweeping(engine, 1):
        _in_time(first)
        Event().wait((last - utc_now()).total_seconds())
        wait_until(lambda: _unflagged(engine, first, last) == 0)
    late = _lateness_s(engine, first, last)
    for part, wanted_s in ((50, None), (99, 0.05)):
        yield takes(
            f"lateness p{part} at {RATE} due/s",
            _percentile(late, part),
            at_most_s=wanted_s,
            floor_s=_percentile(floor, part),
        )


def _bare_lateness(engine: Engine, count: int) -> list[float]:
    """The lateness of a loop that only updates, and sleeps 5 ms when no clock is due."""
    first = _soon(5)
    make_due(engine, count, first, apart_s=1 / RATE)
    done, pause = 0, Event()
    with _bare(engine) as connection:
        while done < count:
            parameters = {"low": first, "now": utc_now(), "limit": 1_000}
            fired = len(connection.execute(_BARE, parameters).fetchall())
            done += fired
            if not fired:
                pause.wait(0.005)
    return _lateness_s(engine, first, first + timedelta(seconds=count / RATE + 1))


def killed(engine: Engine, count: int) -> Iterator[Figure]:
    """Four sweepers share the work, while one after the other is killed and replaced."""
    at = _soon(15 + count * 4e-4)
    make_due(engine, count, at)
    before = _last_announcement(engine)
    with sweeping(engine, 4) as sweepers:
        _in_time(at)
        for part in range(1, KILLS + 1):
            _wait_for_announcements(engine, before + count * part // (KILLS + 2))
            sweepers.kill_one()
            sweepers.start()
        wait_until(lambda: _unflagged(engine, at, at) == 0)
    announced, distinct = _announced_breaches(engine, before)
    yield counts(f"lost of {count:,}, four sweepers, {KILLS} killed", count - distinct, expected=0)
    yield counts("fired twice", announced - distinct, expected=0)


def _announced_breaches(engine: Engine, after: int) -> tuple[int, int]:
    statement = """
        select count(*), count(distinct payload ->> 'clock_id')
        from (
            select cast(convert_from(value, 'UTF8') as jsonb) as payload
            from messaging.outbox where id > :after and topic = 'sla.changed'
        ) as announced where payload ->> 'change' = 'breached'
    """
    with engine.connect() as connection:
        announced, distinct = connection.execute(text(statement), {"after": after}).one()
    return int(announced), int(distinct)


def _wait_for_announcements(engine: Engine, number: int) -> None:
    wait_until(lambda: _last_announcement(engine) >= number)


def _last_announcement(engine: Engine) -> int:
    """The last value of the outbox's sequence, which is cheap to read and close enough."""
    with engine.connect() as connection:
        return int(connection.scalar(text("select last_value from messaging.outbox_id_seq")) or 0)


def _unflagged(engine: Engine, first: datetime, last: datetime) -> int:
    statement = text("""
        select count(*) from sla.timers
        where fire_at between :first and :last and breached_at is null
    """)
    with engine.connect() as connection:
        return int(connection.scalar(statement, {"first": first, "last": last}) or 0)


def _lateness_s(engine: Engine, first: datetime, last: datetime) -> list[float]:
    """Seconds from due to the commit that flags it, of all clocks due in this time, in order."""
    statement = text("""
        select extract(epoch from pg_xact_commit_timestamp(xmin) - breached_at) as late_s
        from sla.timers where breached_at between :first and :last order by late_s
    """)
    with engine.connect() as connection:
        return [float(it) for it in connection.scalars(statement, {"first": first, "last": last})]


def _percentile(ordered: Sequence[float], part: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * part // 100)]


def _bare(engine: Engine) -> psycopg.Connection:
    return psycopg.connect(engine.url.render_as_string(hide_password=False), autocommit=True)


def _soon(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


def _in_time(at: datetime) -> None:
    """Raise an error if the measured time began before the preparation ended."""
    if utc_now() >= at:
        raise TimeoutError("this machine took too long to prepare the clocks: ask for fewer")
