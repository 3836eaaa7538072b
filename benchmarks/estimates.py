"""Estimates against every published row, as the table of docs/estimates.md."""

from pathlib import Path

from benchmarks.published import PublishedRow, published_rows
from wan_pipelines.engines.estimating.memory import estimate_memory
from wan_pipelines.engines.estimating.seconds import estimate_seconds
from wan_pipelines.places import project_root

BEGIN, END = "<!-- table: python -m benchmarks estimates -->\n", "<!-- end of table -->"
HEAD = (
    "| Model | GPUs | Published s | Estimated s | Error | Published GB | Estimated GB | Error "
    "| Calibrates |",
    "|---|---|---:|---:|---:|---:|---:|---:|---|",
)


def run() -> None:
    """Print the table, and put it into the page."""
    print(table())
    page = page_path()
    page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"Written to {page}")


def page_path() -> Path:
    return project_root() / "docs" / "estimates.md"


def table() -> str:
    """All rows, and beneath them how far off those are that nothing was calibrated on."""
    rows = published_rows()
    others = [row for row in rows if not row.calibrates]
    seconds = sum(abs(_seconds_error(row)) for row in others) / len(others)
    memory = sum(abs(_memory_error(row)) for row in others) / len(others)
    words = (
        f"Over the {len(others)} rows that nothing was calibrated on, the mean error is "
        f"{seconds:.1%} in seconds and {memory:.1%} in memory."
    )
    return "\n".join((*HEAD, *map(_line, rows), "", words)) + "\n"


def with_table(page: str) -> str:
    """The page with the table as the code counts it now."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}{table()}{END}{after}"


def _line(row: PublishedRow) -> str:
    seconds = estimate_seconds(row.job, row.machine).total
    gigabytes = estimate_memory(row.job, row.machine).peak / 1e9
    return (
        f"| {row.model} | {row.job.options.gpus} x {row.machine.name} "
        f"| {row.seconds} | {seconds:.1f} | {_seconds_error(row):+.1%} "
        f"| {row.gigabytes} | {gigabytes:.1f} | {_memory_error(row):+.1%} | {row.calibrates} |"
    )


def _seconds_error(row: PublishedRow) -> float:
    return estimate_seconds(row.job, row.machine).total / row.seconds - 1


def _memory_error(row: PublishedRow) -> float:
    return estimate_memory(row.job, row.machine).peak / 1e9 / row.gigabytes - 1
