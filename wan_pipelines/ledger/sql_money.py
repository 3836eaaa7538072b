"""Money as the database computes it: in 64-bit integers, to the same micro-dollar as `money`."""

from sqlalchemy import ColumnElement

from wan_pipelines.ledger.money import MICRO_USD_PER_USD, MICROSECONDS_PER_HOUR

SECONDS_PER_HOUR = 3600


def cost_of(
    gpu_microseconds: ColumnElement[int], micro_usd_per_gpu_hour: ColumnElement[int]
) -> ColumnElement[int]:
    """What GPU time costs, as `money.price_of` rounds it.

    Whole hours and whole dollars apart from the rest: their product leaves 64 bits, which is an
    error on PostgreSQL and a float on SQLite.
    """
    time, price = gpu_microseconds, micro_usd_per_gpu_hour
    by_dollars = time % MICROSECONDS_PER_HOUR * (price // MICRO_USD_PER_USD)
    rest = by_dollars % SECONDS_PER_HOUR * MICRO_USD_PER_USD + time % MICROSECONDS_PER_HOUR * (
        price % MICRO_USD_PER_USD
    )
    return (
        time // MICROSECONDS_PER_HOUR * price
        + by_dollars // SECONDS_PER_HOUR
        + (2 * rest + MICROSECONDS_PER_HOUR) // (2 * MICROSECONDS_PER_HOUR)
    )
