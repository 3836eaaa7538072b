from datetime import UTC, datetime, timedelta

from wan_pipelines.ledger.backoff import Backoff, next_attempt

FAILED_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = Backoff(
    first=timedelta(minutes=1), factor=4, longest=timedelta(minutes=20), failures_until_rest=6
)


def test_the_wait_grows_until_the_shot_rests():
    waits = [next_attempt(failures, FAILED_AT, POLICY) for failures in range(1, 8)]
    minutes = [1, 4, 16, 20, 20]
    assert waits[:5] == [FAILED_AT + timedelta(minutes=wait) for wait in minutes]
    assert waits[5:] == [None, None]


def test_a_shot_that_never_failed_may_run_at_once():
    assert next_attempt(0, None, POLICY) == datetime(1970, 1, 1, tzinfo=UTC)
