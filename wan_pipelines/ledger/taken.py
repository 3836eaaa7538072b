"""How long takes held their GPUs, as SQL counts it: a stage that was not come to counts as 0."""

from sqlalchemy import BigInteger, func, literal

from wan_pipelines.ledger.statements import table
from wan_pipelines.ledger.tables import TakeRow

_TAKES = table(TakeRow).c

STAGE_MICROSECONDS = sum(
    (
        func.coalesce(stage, 0)
        for stage in (
            _TAKES.text_microseconds,
            _TAKES.denoise_high_microseconds,
            _TAKES.denoise_low_microseconds,
            _TAKES.decode_microseconds,
        )
    ),
    start=literal(0, BigInteger()),
)
