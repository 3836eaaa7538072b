"""What a shot takes out of a quota: itself, GPU time, money."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wan_pipelines.ledger.money import usd

Measure = Literal["shots", "gpu_microseconds", "micro_usd"]

MEASURES: tuple[Measure, ...] = ("shots", "gpu_microseconds", "micro_usd")
ANY: Mapping[Measure, str] = {
    "shots": "any number of shots",
    "gpu_microseconds": "any GPU time",
    "micro_usd": "any amount of USD",
}
MICROSECONDS_PER_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Amount:
    """Shots, GPU time in microseconds (all GPUs added up), micro-dollars."""

    shots: int = 0
    gpu_microseconds: int = 0
    micro_usd: int = 0

    def of(self, measure: Measure) -> int:
        return getattr(self, measure)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(*(self.of(each) + other.of(each) for each in MEASURES))


ONE_SHOT = Amount(shots=1)


def told(measure: Measure, value: int) -> str:
    """A value in words: "3 shots", "12.5 GPU-minutes", "0.08 USD"."""
    match measure:
        case "shots":
            return f"{value} shot{'' if value == 1 else 's'}"
        case "gpu_microseconds":
            return f"{value / MICROSECONDS_PER_MINUTE:.4g} GPU-minutes"
        case "micro_usd":
            return f"{usd(value).normalize():f} USD"
