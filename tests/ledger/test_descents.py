"""Takes that were drawn with less say so for ever, and tenants say whether they take them."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from tests.ledger.scenes import DRAWN_IN_TILES, ERROR, PLANS, START, TENANTS, Scene, shots
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.descents import degradation_of, descent_of
from wan_pipelines.ledger.tables import DescentRow
from wan_pipelines.ledger.takes import fail_take
from wan_pipelines.ledger.tenants import configure
from wan_pipelines.ledger.whose import House


def test_accepted_and_failed_takes_say_how_they_were_drawn(ledger: Ledger) -> None:
    scene = Scene(ledger)
    a, b = shots("a", "b")
    scene.admit([a, b])
    hand = scene.worker()
    accepted = hand.render(a, report=DRAWN_IN_TILES)
    failed = hand.lease(b)
    report = replace(ERROR, descent=DRAWN_IN_TILES.descent)
    fail_take(ledger, failed, report, now=scene.now)
    with ledger.read(House("audit")) as session:
        rows = {row.take_id: descent_of(row) for row in session.scalars(select(DescentRow))}
    assert rows == dict.fromkeys((accepted, failed.take_id), DRAWN_IN_TILES.descent)


def test_pixels_changed_where_another_key_was_drawn() -> None:
    descent = DRAWN_IN_TILES.descent
    assert descent
    assert descent.changes_pixels("1" * 64)
    assert not descent.changes_pixels(descent.drawn_key)


def test_nobody_changes_what_was_noted(ledger: Ledger) -> None:
    scene = Scene(ledger)
    scene.admit(shots("a"))
    scene.worker().render(shots("a")[0], report=DRAWN_IN_TILES)
    with pytest.raises(LedgerError, match="append-only"), ledger.write(House("audit")) as session:
        session.execute(update(DescentRow).values(rungs=[]))


def test_tenants_take_exact_renders_only_unless_they_say_otherwise(ledger: Ledger) -> None:
    Scene(ledger)
    assert degradation_of(ledger, "acme") == degradation_of(ledger, "nobody") == "exact_only"
    lenient = replace(TENANTS[0], degradation="allowed")
    configure(ledger, PLANS, [lenient], now=START)
    assert degradation_of(ledger, "acme") == "allowed"
    configure(ledger, PLANS, [TENANTS[0]], now=START)
    assert degradation_of(ledger, "acme") == "exact_only"
