"""Spending as pandas frames. Counts and money are 64-bit integers: no sum is ever rounded."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal

from wan_pipelines.ledger.reports.spending_rows import (
    COLUMNS,
    MEASURES,
    Detail,
    IdleSpending,
    Rows,
)

if TYPE_CHECKING:
    import pandas as pd

DAY, SHAPE, UNUSED = "day", "shape", "unused_micro_usd"
TALLIES = (*MEASURES, UNUSED)
"""What a report adds up; `unused` is what reserved GPUs cost that no worker held."""

Dimension = Literal[
    "day",
    "tenant",
    "campaign",
    "edition",
    "user",
    "release",
    "engine",
    "tier",
    "gpu_class",
    "market",
    "shape",
]


def dimensions(detail: Detail) -> tuple[str, ...]:
    """Columns that say what a row is about: those of the ledger, with a shape of its numbers."""
    kept = [name for name in COLUMNS[detail] if name not in ("width", "height", "frames")]
    return (*kept, SHAPE)


def frame_of(rows: Rows, detail: Detail = "group") -> "pd.DataFrame":
    """Rows of the ledger as a frame. What is not known is an empty text."""
    import pandas as pd

    found = pd.DataFrame(rows, columns=[*COLUMNS[detail], *MEASURES])
    at = COLUMNS[detail].index("width")
    found[SHAPE] = [_shape(row[at : at + 3]) for row in rows]
    found[UNUSED] = 0
    return _typed(found.reindex(columns=[*dimensions(detail), *TALLIES]))


def idle_frame(idle: Iterable[IdleSpending]) -> "pd.DataFrame":
    """Idle time of fleets, as rows of a frame of groups."""
    import pandas as pd

    found = pd.DataFrame(
        [
            {
                "gpu_class": each.gpu_class,
                "gpu_microseconds": each.gpu_microseconds,
                "micro_usd": each.micro_usd,
                UNUSED: each.micro_usd,
            }
            for each in idle
        ],
        columns=[*dimensions("group"), *TALLIES],
    )
    return _typed(found)


def of_day(day: date, parts: Sequence["pd.DataFrame"]) -> "pd.DataFrame":
    """The frame of one day."""
    import pandas as pd

    found = pd.concat(list(parts), ignore_index=True)
    found.insert(0, DAY, pd.Series([day.isoformat()] * len(found), dtype="str"))
    return found


def joined(days: Sequence["pd.DataFrame"]) -> "pd.DataFrame":
    """The frames of several days as one; there is at least one."""
    import pandas as pd

    return pd.concat(list(days), ignore_index=True)


def _shape(numbers: Sequence[int | None]) -> str:
    """Such as 1280x720x81; empty where nothing was asked for."""
    return "" if None in numbers else "x".join(map(str, numbers))


def _typed(found: "pd.DataFrame") -> "pd.DataFrame":
    words = [name for name in found.columns if name not in TALLIES]
    found = found.fillna({**dict.fromkeys(words, ""), **dict.fromkeys(TALLIES, 0)})
    return found.astype({**dict.fromkeys(words, "str"), **dict.fromkeys(TALLIES, "int64")})
