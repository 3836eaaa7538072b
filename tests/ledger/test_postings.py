"""Postings say where every amount belongs, and leave none out."""

from collections import Counter

from sqlalchemy import func, select

from tests.ledger.scenes import ERROR, Scene, shots
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.postings import POSTINGS
from wan_pipelines.ledger.tables import ChargeRow
from wan_pipelines.ledger.takes import fail_take
from wan_pipelines.ledger.whose import House


def amounts(ledger: Ledger) -> Counter[tuple[str, str]]:
    """Micro-dollars by account and part."""
    columns = POSTINGS.c
    query = select(columns.account, columns.part, columns.micro_usd)
    sums: Counter[tuple[str, str]] = Counter()
    with ledger.read(House("audit")) as session:
        for account, part, amount in session.execute(query):
            sums[account, part] += amount
    return sums


def test_every_charge_is_in_one_account(ledger: Ledger):
    scene = Scene(ledger)
    wanted = shots("good", "replaced", "bad")
    scene.admit(wanted)
    hand = scene.worker()
    hand.spend("load", 1000)
    hand.render(wanted[0], 1000)
    for candidate in wanted[1:]:
        lease = hand.lease(candidate)
        hand.spend("denoise", 1000, lease)
        fail_take(ledger, lease, ERROR, now=scene.now)
    hand.render(wanted[1], 1000)
    hand.close()
    scene.worker().close()
    found = amounts(ledger)
    assert found == {
        ("video", "render"): 2000,
        ("overhead", "load"): 500,
        ("overhead", "replaced"): 1250,
        ("overhead", "wasted"): 1250,
    }
    with ledger.read(House("audit")) as session:
        assert session.scalar(select(func.sum(ChargeRow.micro_usd))) == found.total()


def test_a_posting_names_day_class_tenant_and_worker(ledger: Ledger):
    scene = Scene(ledger)
    (red,) = shots("red")
    scene.admit([red])
    hand = scene.worker()
    take = hand.render(red)
    hand.close()
    with ledger.read(House("audit")) as session:
        (posting,) = session.execute(select(POSTINGS)).mappings()
    assert dict(posting) | {"id": 0} == {
        "source": "charge",
        "id": 0,
        "account": "video",
        "part": "render",
        "kind": "denoise",
        "tenant": "acme",
        "edition_id": posting["edition_id"],
        "worker_id": hand.id,
        "take_id": take,
        "gpu_class": "laptop-cpu",
        "market": "on-demand",
        "gpu_microseconds": 1_000_000,
        "micro_usd": 1000,
        "starts_at": posting["ends_at"] - 1_000_000,
        "ends_at": posting["created_at"],
        "day": 20_514,  # 2026-03-02
        "correction_id": None,
        "created_at": posting["created_at"],
    }
