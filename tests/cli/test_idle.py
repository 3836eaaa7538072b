"""`wan idle`: finance sees what was reserved and not used."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.invoking import Wan
from tests.support.project import Project
from wan_pipelines.errors import InputError

YESTERDAY = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
BASE = {"gpu_class": "laptop-cpu", "gpus": 2, "since": "2026-01-01", "usd_per_gpu_hour": "0.10"}
DAYS = ("--first", YESTERDAY, "--last", YESTERDAY)


def test_idle_days_are_charged_shown_and_stay(wan: Wan, quick_project: Project):
    quick_project.environment(reserved={"base": BASE})
    assert "not charged yet" in wan("idle", *DAYS).stderr
    said = wan("idle", "charge", *DAYS)
    assert said.exit_code == 0
    assert "Idle $4.80." in said.stdout
    assert "up to date" in wan("idle", "charge", *DAYS).stderr
    for command in (("idle",), ("idle", "charge")):
        swapped = wan(*command, "--first", YESTERDAY, "--last", "2026-01-01")
        assert f"{YESTERDAY} is after 2026-01-01" in swapped.stderr
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert f"{today} is not over" in wan("idle", "charge", "--last", today).stderr
    (day,) = json.loads(wan("idle", *DAYS, "--json").stdout)
    assert (day["day"], day["fleet"], day["idle_usd"]) == (YESTERDAY, "base", 4.8)
    assert (day["reserved_gpu_hours"], day["held_gpu_hours"], day["idle_percent"]) == (48, 0, 100)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"gpu_class": "h100"}, "reserved.base.gpu_class 'h100' is none of gpu_classes: laptop"),
        ({"usd_per_month": "99"}, "either usd_per_gpu_hour or usd_per_month"),
        ({"until": "2025-01-01"}, "until is not after since"),
        ({"gpus": 0}, "reserved.base.gpus"),
    ],
)
def test_a_reservation_that_makes_no_sense_is_told(
    quick_project: Project, changes: dict[str, object], told: str
):
    quick_project.environment(reserved={"base": {**BASE, **changes}})
    with pytest.raises(InputError, match=told):
        quick_project.studio()
