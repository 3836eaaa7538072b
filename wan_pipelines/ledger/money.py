"""Exact money: integers of micro-dollars inside, `Decimal` dollars for people."""

from decimal import Decimal

MICROSECONDS_PER_HOUR = 3_600_000_000
MICRO_USD_PER_USD = 1_000_000


def usd(micro_usd: int) -> Decimal:
    """Dollars, exactly: `usd(1_250_000) == Decimal("1.250000")`."""
    return Decimal(micro_usd).scaleb(-6)


def dollars(micro_usd: int) -> str:
    """An amount in words, exactly, with cents at least: "$0.10", "-$1.250001"."""
    amount = usd(abs(micro_usd)).normalize()
    exponent = amount.as_tuple().exponent
    digits = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{'-' if micro_usd < 0 else ''}${amount:.{digits}f}"


def micro_usd(dollars: Decimal) -> int:
    """Micro-dollars, exactly; a `ValueError` names an amount that is finer than that."""
    micro = dollars.scaleb(6)
    if not micro.is_finite() or micro != micro.to_integral_value():
        raise ValueError(f"{dollars} USD is not a whole number of micro-dollars.")
    return int(micro)


def round_half_up(numerator: int, denominator: int) -> int:
    """The integer nearest to a non-negative quotient, halves upwards, without floats."""
    return (2 * numerator + denominator) // (2 * denominator)


def price_of(*, gpu_count: int, microseconds: int, micro_usd_per_gpu_hour: int) -> int:
    """What a worker's wall time costs, in micro-dollars, rounded once."""
    return round_half_up(gpu_count * microseconds * micro_usd_per_gpu_hour, MICROSECONDS_PER_HOUR)
