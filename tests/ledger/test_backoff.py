from datetime import UTC, datetime, timedelta

from wan_pipelines.ledger.backoff import Backoff

FAILED_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
BACKOFF = Backoff(first=timedelta(minutes=1), failures_until_rest=6)


def test_the_wait_grows_until_the_shot_rests():
    waits = [BACKOFF.next_attempt(failures, FAILED_AT) for failures in range(1, 8)]
    minutes = [1, 4, 16, 60, 60]
    assert waits[:5] == [FAILED_AT + timedelta(minutes=wait) for wait in minutes]
    assert waits[5:] == [None, None]


def test_a_shot_that_never_failed_may_run_at_once():
    assert BACKOFF.next_attempt(0, None) == datetime(1970, 1, 1, tzinfo=UTC)


def test_no_number_of_failures_is_too_large():
    shortest = Backoff(first=timedelta(microseconds=1), failures_until_rest=1)
    assert BACKOFF.pause(10_000) == shortest.pause(10_000) == timedelta(hours=1)
