"""Signs of life, and what becomes of leases without them."""

import logging
from threading import Event

import pytest

from tests.rendering.memory_book import MemoryBook
from tests.rendering.stage import raises, shots
from wan_pipelines.errors import LedgerError
from wan_pipelines.rendering.heartbeat import Heartbeat
from wan_pipelines.rendering.ports import Lease

SECONDS = 0.01


def held(book: MemoryBook, name: str) -> Lease:
    lease = book.lease(shots(name)[0])
    assert isinstance(lease, Lease)
    return lease


def wait_for_beats(book: MemoryBook, count: int = 2) -> None:
    goal = book.beats + count
    for _ in range(1000):
        if book.beats >= goal:
            return
        Event().wait(0.01)
    raise AssertionError("the heart stands still")


def test_it_beats_with_and_without_leases_and_then_no_more() -> None:
    book = MemoryBook()
    with Heartbeat(book, SECONDS):
        wait_for_beats(book)
    beats = book.beats
    Event().wait(5 * SECONDS)
    assert book.beats == beats
    assert book.renewed == []


def test_it_renews_what_it_holds_and_notices_what_has_passed_on() -> None:
    book = MemoryBook()
    kept, stolen, dropped = held(book, "a"), held(book, "b"), held(book, "c")
    with Heartbeat(book, SECONDS) as heartbeat:
        heartbeat.hold(kept)
        heartbeat.hold(stolen)
        heartbeat.hold(dropped)
        heartbeat.drop(dropped)
        wait_for_beats(book)
        book.shelf.steal(stolen.render_key)
        book.shelf.steal(dropped.render_key)
        wait_for_beats(book)
        assert not heartbeat.has_lost(kept)
        assert heartbeat.has_lost(stolen)
        assert not heartbeat.has_lost(dropped)
        assert dropped.render_key not in book.renewed


def test_a_book_that_cannot_be_written_for_a_while_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    book = MemoryBook()
    lease = held(book, "a")
    book.faults["renew"] = raises(LedgerError("database is locked"))
    with caplog.at_level(logging.WARNING), Heartbeat(book, SECONDS) as heartbeat:
        heartbeat.hold(lease)
        wait_for_beats(book)
        assert not heartbeat.has_lost(lease)
        book.faults.clear()
        wait_for_beats(book)
        assert book.renewed
    assert "database is locked" in caplog.text
