"""Where shots of a bucket begin, which all workers share, and who may try a higher rung."""

from dataclasses import replace

from tests.ledger.scenes import BUCKET, START, Scene
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.footholds import (
    Foothold,
    claim_probe,
    foothold,
    footholds,
    set_foothold,
)


def test_shots_begin_on_the_rung_that_was_set_last(ledger: Ledger) -> None:
    scene = Scene(ledger)
    assert foothold(ledger, BUCKET) is None
    set_foothold(ledger, BUCKET, "tiles", now=START)
    assert foothold(ledger, BUCKET) == Foothold("tiles", 0, START)
    later = scene.later(hours=1)
    set_foothold(ledger, BUCKET, "draft", misses=2, now=later)
    assert foothold(ledger, BUCKET) == Foothold("draft", 2, later)


def test_buckets_are_apart(ledger: Ledger) -> None:
    set_foothold(ledger, BUCKET, "tiles", now=START)
    for other in (
        replace(BUCKET, width=128),
        replace(BUCKET, gpu_class="h100"),
        replace(BUCKET, sampling="[]"),
        replace(BUCKET, exact=True),
    ):
        assert foothold(ledger, other) is None


def test_of_all_workers_that_would_probe_one_does(ledger: Ledger) -> None:
    scene = Scene(ledger)
    set_foothold(ledger, BUCKET, "tiles", now=START)
    seen = foothold(ledger, BUCKET)
    assert seen
    later = scene.later(hours=1)
    assert [claim_probe(ledger, BUCKET, seen, now=later) for _ in range(3)] == [True, False, False]
    assert foothold(ledger, BUCKET) == Foothold("tiles", 0, later)


def test_what_is_back_at_the_top_is_not_listed(ledger: Ledger) -> None:
    set_foothold(ledger, BUCKET, "tiles", now=START)
    ((words, found),) = footholds(ledger)
    assert (words, found.rung) == ("wan-tiny 96x64x9 on laptop-cpu", "tiles")
    set_foothold(ledger, BUCKET, "", now=START)
    assert footholds(ledger) == ()
