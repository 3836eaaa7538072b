"""What workers tell the ledger about their takes."""

from dataclasses import dataclass

from wan_pipelines.ledger.descents import Descent


@dataclass(frozen=True, slots=True)
class StageMicroseconds:
    """Wall time per stage of a take."""

    text: int
    denoise_high: int
    denoise_low: int
    decode: int


@dataclass(frozen=True, slots=True)
class TakeReport:
    """How a take went. Text fields may hold anything; the ledger bounds and cleans them."""

    seed: int
    steps: int | None = None
    stages: StageMicroseconds | None = None
    peak_memory_bytes: int | None = None
    engine: str | None = None
    release: str | None = None
    fingerprint: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    error_stage: str | None = None
    descent: Descent | None = None
