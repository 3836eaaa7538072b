"""When editions shall be finished."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from wan_pipelines.campaigns.deadlines import FinishBy

LAUNCHED = datetime(2026, 3, 28, 21, 0, tzinfo=UTC)
"""Ten in the evening in Berlin, before the night in which clocks go forward."""


def test_hours_count_from_the_launch():
    assert FinishBy(hours=1.5).after(LAUNCHED) == datetime(2026, 3, 28, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "due"),
    [
        ("23:00", datetime(2026, 3, 28, 22, tzinfo=UTC)),
        ("22:00", datetime(2026, 3, 29, 20, tzinfo=UTC)),
        ("08:00", datetime(2026, 3, 29, 6, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_next_that_clocks_show(time: str, due: datetime):
    assert FinishBy(time=time, time_zone="Europe/Berlin").after(LAUNCHED) == due


@pytest.mark.parametrize(
    "wrong", [{}, {"hours": 2, "time": "08:00"}, {"hours": 0}, {"time": "24:10"}, {"time": "8"}]
)
def test_what_is_no_deadline_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        FinishBy.model_validate(wrong)
