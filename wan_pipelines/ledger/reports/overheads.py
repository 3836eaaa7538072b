"""What workers were paid for besides rendering, for estimates to learn from."""

from collections.abc import Mapping

from sqlalchemy import func, select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.reports.paces import latest_workers
from wan_pipelines.ledger.tables import ChargeRow, TakeRow, WorkerRow
from wan_pipelines.ledger.whose import House

OVERHEADS = ("load", "wait", "idle")


def worker_overheads(ledger: Ledger, gpu_class: str, gpu_count: int) -> Mapping[str, float]:
    """Wall seconds per worker, by the name of the release it rendered; of all tenants.

    Of the latest settled workers on GPUs of a class: bounded, however much was rendered.
    """
    workers = latest_workers(gpu_class, gpu_count).where(WorkerRow.ended_at.is_not(None))
    with ledger.read(House("estimates")) as session:
        latest = session.scalars(workers).all()
        found = session.execute(
            select(
                TakeRow.release,
                func.sum(ChargeRow.gpu_microseconds),
                func.count(ChargeRow.worker_id.distinct()),
            )
            .join(TakeRow, TakeRow.id == ChargeRow.take_id)
            .where(
                ChargeRow.worker_id.in_(latest),
                ChargeRow.kind.in_(OVERHEADS),
                TakeRow.release.is_not(None),
            )
            .group_by(TakeRow.release)
        ).all()
    return {
        release: int(microseconds) / gpu_count / number / 1e6
        for release, microseconds, number in found
    }
