"""Tests of reading in advance: results come in order, and two threads never read at once."""

from __future__ import annotations

import threading
import time
from itertools import count

import pytest

from shared.process.prefetch import Prefetch, yield_to_worker


def test_takes_what_was_begun_in_another_thread_or_reads_now_in_this_one() -> None:
    numbers = count(1)
    with Prefetch(lambda: (next(numbers), threading.current_thread())) as prefetch:
        assert prefetch.result() == (1, threading.current_thread())
        prefetch.begin()
        number, thread = prefetch.result()
        assert number == 2
        assert thread is not threading.current_thread()
        assert prefetch.result() == (3, threading.current_thread())


def test_what_reading_raised_is_raised_where_it_is_taken() -> None:
    def read() -> None:
        raise LookupError("gone")

    with Prefetch(read) as prefetch:
        prefetch.begin()
        with pytest.raises(LookupError, match="gone"):
            prefetch.result()


def test_what_was_begun_has_ended_when_the_block_is_left() -> None:
    may_end, ended = threading.Event(), threading.Event()

    def read() -> None:
        may_end.wait(5)
        ended.set()

    with Prefetch(read) as prefetch:
        prefetch.begin()
        may_end.set()

    assert ended.is_set()


def test_whoever_reads_ahead_leaves_most_of_the_time_to_the_one_that_works() -> None:
    enough = threading.Event()

    def read() -> float:
        began_s = time.thread_time()
        while not enough.is_set():
            yield_to_worker()
        return time.thread_time() - began_s

    with Prefetch(read) as prefetch:
        prefetch.begin()
        began_s = time.thread_time()
        while time.thread_time() - began_s < 0.2:
            yield_to_worker()  # does nothing here
        enough.set()
        assert prefetch.result() < 0.14
