"""Frames as files: Parquet, which keeps types, and CSV, which everything opens."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def to_parquet(frame: "pd.DataFrame") -> bytes:
    """The frame as a Parquet file."""
    return frame.to_parquet(engine="pyarrow", compression="zstd", index=False)


def from_parquet(data: bytes) -> "pd.DataFrame":
    """The frame that `to_parquet` made a file of."""
    import pandas as pd

    return pd.read_parquet(BytesIO(data), engine="pyarrow")


def parquet_sums(data: bytes, columns: Sequence[str]) -> dict[str, int]:
    """What columns of integers of a Parquet file add up to; nothing else of it is read."""
    import pyarrow.parquet as pq

    table = pq.read_table(BytesIO(data), columns=list(columns))
    return {name: int(table[name].to_numpy().sum()) for name in columns}


def write_parquet(frames: "Iterable[pd.DataFrame]", file: IO[bytes]) -> None:
    """Frames with the same columns as one Parquet file; memory holds one of them at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for frame in frames:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
        writer.write_table(table.cast(writer.schema))
    if writer:
        writer.close()


def write_csv(frames: "Iterable[pd.DataFrame]", file: IO[bytes]) -> None:
    """Frames with the same columns as one CSV file; memory holds one of them at a time."""
    for number, frame in enumerate(frames):
        file.write(to_csv(frame, header=not number).encode())


def to_csv(frame: "pd.DataFrame", *, header: bool = True) -> str:
    """The frame as CSV whose words no spreadsheet takes for a formula."""
    kinds = frame.select_dtypes(include="str").columns
    words = [name for name in kinds if not name.endswith("usd")]
    safe = frame.assign(**{name: frame[name].map(as_text) for name in words})
    return safe.to_csv(index=False, header=header, lineterminator="\n")


def as_text(words: str) -> str:
    """Words that no spreadsheet takes for a formula: an apostrophe before them makes them text."""
    return f"'{words}" if words.startswith(FORMULA_SIGNS) else words
