"""What sums up a million takes: the database, pandas in pieces, or DuckDB over Arrow.

Each way runs in a process of its own, so that its memory is its own, and comes to the same money.
DuckDB takes part where `duckdb`, `adbc-driver-sqlite` and `pyarrow` are installed; the product
needs neither of the former.
"""

import multiprocessing
import resource
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import text

from benchmarks.places import RESULTS
from benchmarks.reports_ledger import BEGAN, DAYS, fill
from benchmarks.results import show_and_keep
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.reports.spending_rows import spending
from wan_pipelines.ledger.whose import House
from wan_pipelines.reporting.files import from_parquet, to_parquet
from wan_pipelines.reporting.frames import frame_of, joined, of_day
from wan_pipelines.reporting.summary import summed, total

OPERATOR = House("operator")
BY = ["tenant", "campaign", "user", "tier", "gpu_class"]
ENDED = BEGAN + timedelta(days=DAYS + 1)
CHUNK = 200_000
CHARGES = """
    SELECT w.edition_id, w.gpu_class, t.user, t.tier, t.outcome, c.kind, c.micro_usd
    FROM charges c JOIN workers w ON w.id = c.worker_id LEFT JOIN takes t ON t.id = c.take_id
"""


def run(takes: int, ledger: Path | None) -> None:
    """Measure every way on a ledger of so many takes, or on one that `fill` made before."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=RESULTS, prefix="reports-") as folder:
        file = ledger or Path(folder) / "ledger.sqlite"
        if not file.exists():
            began = perf_counter()
            fill(file, takes)
            print(f"A ledger of {takes:,} takes was made in {perf_counter() - began:.0f} s.")
        kept = Path(folder) / "days"
        kept.mkdir()
        ways: dict[str, Callable[[], int]] = {
            "database, day by day (chosen)": partial(_day_by_day, file, kept),
            "database, one statement": partial(_at_once, file),
            "pandas, in pieces": partial(_in_pieces, file),
            "DuckDB over Arrow": partial(_duckdb, file),
            "days that were reported": partial(_kept_days, kept),
        }
        rows = []
        for way, function in ways.items():
            rows.append({"way": way, **_measured(function)})
            print(rows[-1])
        show_and_keep("reports", {f"Sums of {takes:,} takes by {', '.join(BY)}": rows})


def _measured(function: Callable[[], int]) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(function, sender))
    process.start()
    sender.close()  # so that a process that dies is the end of what can be received
    found = receiver.recv()
    process.join()
    return found


def _tell(function: Callable[[], int], sender: Any) -> None:
    import pandas as pd

    pd.DataFrame({"how": ["long loading takes"]}).groupby("how").size()  # is not the question

    idle_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, spent = perf_counter(), process_time()
    try:
        micro_usd = function()
    except ImportError as error:
        sender.send({"micro_usd": f"{error.name} is missing"})
        return
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sender.send(
        {
            "micro_usd": micro_usd,
            "seconds": round(perf_counter() - began, 1),
            "processor_seconds": round(process_time() - spent, 1),
            "more_memory_mib": (peak_kib - idle_kib) // 1024,
        }
    )


def _days() -> Iterator[date]:
    return (BEGAN.date() + timedelta(days=number) for number in range(DAYS + 1))


def _day_by_day(file: Path, kept: Path) -> int:
    frames = []
    with Ledger.open(file) as ledger:
        for number, day in enumerate(_days()):
            since = BEGAN + timedelta(days=number)
            found = spending(ledger, OPERATOR, since, since + timedelta(days=1))
            frames.append(of_day(day, [frame_of(rows) for rows in found] or [frame_of([])]))
            (kept / f"{day}.parquet").write_bytes(to_parquet(frames[-1]))
    return total(summed(joined(frames), BY))


def _kept_days(kept: Path) -> int:
    frames = [from_parquet(path.read_bytes()) for path in sorted(kept.iterdir())]
    return total(summed(joined(frames), BY))


def _at_once(file: Path) -> int:
    with Ledger.open(file) as ledger:
        found = [frame_of(rows) for rows in spending(ledger, OPERATOR, BEGAN, ENDED)]
    return total(summed(joined(found), BY))


def _in_pieces(file: Path) -> int:
    import pandas as pd

    by = ["edition_id", "gpu_class", "user", "tier", "outcome", "kind"]
    sums = None
    with Ledger.open(file) as ledger, ledger.read(OPERATOR) as session:
        for piece in pd.read_sql_query(text(CHARGES), session.connection(), chunksize=CHUNK):
            found = piece.groupby(by, dropna=False).agg({"micro_usd": "sum"})
            sums = found if sums is None else sums.add(found, fill_value=0)
    return 0 if sums is None else total(sums.astype({"micro_usd": "int64"}))


def _duckdb(file: Path) -> int:
    from importlib import import_module

    dbapi, duckdb = import_module("adbc_driver_sqlite.dbapi"), import_module("duckdb")
    queries = {
        "charges": "SELECT worker_id, take_id, kind, micro_usd FROM charges",
        "takes": "SELECT id, user, tier, outcome FROM takes",
        "workers": "SELECT id, edition_id, gpu_class FROM workers",
    }
    opened = [dbapi.connect(f"file:{file}?mode=ro") for _ in queries]
    cursors = [connection.cursor() for connection in opened]
    memory = duckdb.connect()
    for cursor, (name, query) in zip(cursors, queries.items(), strict=True):
        cursor.execute(query)
        memory.register(name, cursor.fetch_record_batch())
    # Streams are read once: what is looked up becomes a table, the charges pass by.
    for name in ("takes", "workers"):
        memory.execute(f"CREATE TABLE known_{name} AS SELECT * FROM {name}")
    sums = memory.execute(
        "SELECT edition_id, gpu_class, user, tier, outcome, kind, sum(micro_usd)::BIGINT paid "
        "FROM charges JOIN known_workers w ON w.id = worker_id "
        "LEFT JOIN known_takes t ON t.id = take_id GROUP BY ALL"
    ).fetchall()
    for each in (*cursors, *opened):
        each.close()
    return sum(row[-1] for row in sums)
