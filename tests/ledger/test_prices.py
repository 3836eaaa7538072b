from datetime import UTC, datetime, timedelta

import pytest

from tests.ledger import books
from tests.ledger.scenes import PRICE, Scene, shots
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.prices import (
    Price,
    declared_price,
    known_price,
    price_at,
    price_periods,
    publish_prices,
)
from wan_pipelines.ledger.workers import WorkerPlace

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SUMMER = datetime(2026, 6, 1, tzinfo=UTC)


def test_the_price_that_holds_is_the_latest_that_has_begun(ledger: Ledger):
    book = [Price("h100", 2_000_000, NEW_YEAR), Price("h100", 1_500_000, SUMMER)]
    publish_prices(ledger, book, now=NEW_YEAR)
    assert price_at(ledger, "h100", SUMMER - timedelta(seconds=1)) == book[0]
    assert price_at(ledger, "h100", SUMMER) == book[1]
    assert known_price(ledger, "h100", NEW_YEAR - timedelta(seconds=1)) is None


def test_spot_and_on_demand_have_prices_of_their_own(ledger: Ledger):
    spot = Price("h100", 700_000, NEW_YEAR, "spot")
    publish_prices(ledger, [spot, Price("h100", 2_000_000, NEW_YEAR)], now=NEW_YEAR)
    assert price_at(ledger, "h100", SUMMER, "spot") == spot
    assert price_at(ledger, "h100", SUMMER).micro_usd_per_gpu_hour == 2_000_000


def test_a_price_is_published_once_and_never_changed(ledger: Ledger):
    price = Price("h100", 2_000_000, NEW_YEAR)
    publish_prices(ledger, [price], now=NEW_YEAR)
    publish_prices(ledger, [price], now=SUMMER)
    with pytest.raises(LedgerError, match=r"already costs 2000000 .* later `valid_from`"):
        publish_prices(ledger, [Price("h100", 1, NEW_YEAR)], now=SUMMER)
    with pytest.raises(LedgerError, match="is negative"):
        publish_prices(ledger, [Price("a100", -1, NEW_YEAR)], now=SUMMER)
    assert known_price(ledger, "a100", SUMMER) is None


def test_a_worker_keeps_the_price_it_began_at(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("a"))
    hand = scene.worker()
    dearer = Price("laptop-cpu", 10 * PRICE, scene.later(seconds=1))
    publish_prices(ledger, [dearer], now=scene.now)
    other = scene.worker(place=WorkerPlace("run-2", "s", "laptop-cpu"))
    scene.later(seconds=1)
    assert (hand.close(), other.close()) == (2000, 10_000)
    books.check(ledger)


def test_the_book_says_until_when_each_price_holds_and_who_set_it(ledger: Ledger):
    spot = Price("h100", 700_000, NEW_YEAR, "spot")
    lower = Price("h100", 1_500_000, SUMMER, decided_by="ada", reason="new contract")
    book = [spot, Price("h100", 2_000_000, NEW_YEAR), lower, Price("l40s", 1, NEW_YEAR)]
    assert publish_prices(ledger, book, now=NEW_YEAR, dry_run=True) == tuple(book)
    assert price_periods(ledger) == ()
    assert publish_prices(ledger, book, now=NEW_YEAR) == tuple(book)
    assert publish_prices(ledger, book, now=SUMMER) == ()
    found = [(each.price, each.valid_until) for each in price_periods(ledger, "h100")]
    assert found == [(book[1], SUMMER), (lower, None), (spot, None)]
    assert declared_price(ledger, "h100", SUMMER) == book[1]


def test_a_price_that_changes_in_the_middle_of_a_take_is_for_later_workers(ledger: Ledger):
    scene = Scene(ledger)
    red, blue = wanted = shots("red", "blue")
    scene.admit(wanted)
    hand = scene.worker()
    lease = hand.lease(red)
    hand.spend("denoise", 700, lease)
    publish_prices(ledger, [Price("laptop-cpu", 7 * PRICE, scene.now)], now=scene.now)
    hand.spend("denoise", 801, lease)
    hand.accept(lease)
    hand.render(blue, 333)
    assert hand.close() == 700 + 801 + 333
    later = scene.worker()
    scene.later(milliseconds=10)
    assert later.close() == 70
    books.check(ledger)
