"""What a period cost, row by row; that it comes to all postings is held in `test_any_order`."""

from datetime import datetime, timedelta
from typing import Any

from tests.ledger import books
from tests.ledger.scenes import DEMO, DRAWN_IN_TILES, ERROR, START, Scene, shot, shots
from wan_pipelines.ledger.corrections import Rerating, Selection, rerate
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.reports.spending_rows import (
    COLUMNS,
    MEASURES,
    Detail,
    edition_spending,
    paid_between,
    posted,
    spending,
)
from wan_pipelines.ledger.takes import fail_take
from wan_pipelines.ledger.whose import Asked, House

EVERYBODY = House("audit")
DAY = timedelta(days=1)


def rows(
    ledger: Ledger,
    whose: Asked = EVERYBODY,
    since: datetime = START - DAY,
    until: datetime = START + DAY,
    detail: Detail = "group",
) -> list[dict[str, Any]]:
    names = (*COLUMNS[detail], *MEASURES)
    found = spending(ledger, whose, since, until, detail=detail)
    return [dict(zip(names, row, strict=True)) for some in found for row in some]


def of(found: list[dict[str, Any]], *names: str) -> tuple[int, ...]:
    return tuple(sum(row[name] for row in found) for name in names)


def busy(ledger: Ledger) -> Scene:
    """A video at the first attempt, one at the second, one drawn with less; two seconds loading."""
    scene = Scene(ledger)
    good, again, less = wanted = shots("good", "again", "less")
    scene.admit(wanted)
    hand = scene.worker()
    hand.spend("load", 2000)
    hand.render(good, 1000)
    lease = hand.lease(again)
    hand.spend("denoise", 1000, lease)
    fail_take(ledger, lease, ERROR, now=scene.now)
    hand.render(again, 1000)
    hand.render(less, 1000, DRAWN_IN_TILES)
    hand.close()
    return scene


def test_each_micro_dollar_has_its_part_and_its_stage(ledger: Ledger):
    busy(ledger)
    found = rows(ledger)
    assert of(found, "takes", "videos", "repeats", "degraded_videos") == (4, 3, 1, 1)
    assert of(found, "micro_usd", "gpu_microseconds") == (6000, 6_000_000)
    parts = ("rendered_micro_usd", "loaded_micro_usd", "waited_micro_usd", "wasted_micro_usd")
    assert of(found, *parts) == (3000, 1500, 0, 1500)
    assert of(found, "retried_micro_usd", "degraded_micro_usd") == (1500, 1500)
    assert of(found, "load_micro_usd", "denoise_micro_usd") == (2000, 4000)
    assert books.reported(ledger) == books.posted(ledger) == (6000, 6_000_000)


def test_a_row_says_what_was_drawn_with_what_for_whom(ledger: Ledger):
    busy(ledger)
    first = rows(ledger)[0]
    assert {name: first[name] for name in COLUMNS["group"]} == {
        "tenant": "acme",
        "campaign": "demo",
        "edition": "first",
        "user": "ada",
        "release": "wan-tiny",
        "engine": "reference",
        "tier": "draft",
        "gpu_class": "laptop-cpu",
        "market": "on-demand",
        "width": 96,
        "height": 64,
        "frames": 9,
    }


def test_shots_and_takes_are_told_one_by_one(ledger: Ledger):
    busy(ledger)
    by_shot = {row["shot"]: row for row in rows(ledger, detail="shot")}
    assert {name: row["takes"] for name, row in by_shot.items()} == {
        "good": 1,
        "again": 2,
        "less": 1,
    }
    assert by_shot["again"]["micro_usd"] == 3000
    takes = rows(ledger, detail="take")
    assert sorted((row["shot"], row["outcome"]) for row in takes) == [
        ("again", "accepted"),
        ("again", "failed"),
        ("good", "accepted"),
        ("less", "accepted"),
    ]


def test_work_counts_on_the_day_on_which_its_worker_began(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit([shot("late")])
    hand = scene.worker()
    hand.spend("load", 36_000_000)
    hand.render(shot("late"))
    hand.close()
    night = START + timedelta(hours=12)
    assert of(rows(ledger, until=START), "micro_usd") == (0,)
    assert of(rows(ledger, until=night), "micro_usd", "videos") == (36_001_000, 1)
    assert of(rows(ledger, since=START + DAY, until=START + 2 * DAY), "videos") == (0,)


def test_a_correction_changes_the_day_it_corrects(ledger: Ledger):
    scene = busy(ledger)
    scene.later(days=40)
    rerating = Rerating(Selection(gpu_class="laptop-cpu"), 1_800_000, "root", "half the price")
    rerate(ledger, rerating, now=scene.now)
    found = rows(ledger)
    assert of(found, "micro_usd", "videos", "takes") == (3000, 3, 4)
    assert posted(ledger, EVERYBODY, START - DAY, START + DAY).total() == 3000
    assert rows(ledger, since=START + DAY, until=START + 50 * DAY) == []
    assert books.reported(ledger) == books.posted(ledger)


def test_a_worker_without_takes_is_waste_of_its_edition(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit([shot("red")])
    hand = scene.worker()
    hand.spend("load", 500)
    hand.close()
    (found,) = rows(ledger)
    assert (found["campaign"], found["user"], found["release"]) == ("demo", "ada", None)
    assert (found["micro_usd"], found["wasted_micro_usd"], found["takes"]) == (500, 500, 0)


def test_a_tenant_sees_its_own_rows_only(ledger: Ledger):
    busy(ledger)
    for detail in COLUMNS:
        assert rows(ledger, "bolt", detail=detail) == []
        assert of(rows(ledger, "acme", detail=detail), "micro_usd") == (6000,)
    assert paid_between(ledger, "bolt", START - DAY, START + DAY) is None
    assert posted(ledger, "bolt", START - DAY, START + DAY) == {}
    assert posted(ledger, "acme", START - DAY, START + DAY) == {"video": 3000, "overhead": 3000}


def test_an_edition_is_told_alone(ledger: Ledger):
    busy(ledger)
    at = len(COLUMNS["take"]) + MEASURES.index("micro_usd")
    assert sum(row[at] for row in edition_spending(ledger, DEMO)) == 6000
