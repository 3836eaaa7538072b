"""How the pages write money, time and counts. Figures are rounded for reading, never summed."""

from datetime import UTC, date, datetime
from decimal import Decimal

from wan_pipelines.ledger.money import usd

CODECS = {"h264": "H.264", "av1": "AV1"}


def money(micro_usd: int) -> str:
    """Micro-dollars as dollars: cents from a dollar up, exact to the micro-dollar below a cent."""
    dollars = usd(abs(micro_usd))
    places = 2 if dollars >= 1 or not micro_usd else 4 if dollars >= Decimal("0.01") else 6
    return f"{'−' if micro_usd < 0 else ''}${dollars:,.{places}f}"


def exact_money(micro_usd: int) -> str:
    """Micro-dollars as dollars with all six decimals."""
    return f"{'−' if micro_usd < 0 else ''}${usd(abs(micro_usd)):,.6f}"


def seconds(value: float) -> str:
    """A duration in the unit a person would say it in: "1.62 s", "3 min 05 s", "2 h 10 min"."""
    if value < 59.95:
        return f"{value:.2f} s" if value < 9.995 else f"{value:.1f} s"
    if round(value) < 3600:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(value / 60), 60)
    return f"{hours:,} h {minutes:02d} min"


def gpu_time(value: float) -> str:
    """A duration of which there is much: "22.4 h"; below an hour as `seconds` says it."""
    return f"{value / 3600:,.1f} h" if value >= 3600 else seconds(value)


def when(moment: datetime) -> str:
    """A moment in UTC, to the minute: "22 Nov 2025, 02:53 UTC"."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


def calendar_day(day: date) -> str:
    """A day: "22 Nov 2025"."""
    return f"{short_day(day)} {day.year}"


def short_day(day: date) -> str:
    """A day of a year that is known: "22 Nov"."""
    return f"{day.day} {day:%b}"


def percent(part: int, whole: int) -> str:
    """A share as whole percent; "<1 %" for what would read as nothing."""
    share = 100 * part / whole if whole else 0.0
    return "<1 %" if 0 < share < 0.5 else f"{share:.0f} %"


def plural(number: int, one: str, many: str = "") -> str:
    """A count with its noun: "1 shot", "1,200 shots"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
