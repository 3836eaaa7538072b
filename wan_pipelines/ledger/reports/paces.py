"""How long takes really were, for estimates to learn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.tables import DescentRow, ShotRow, TakeRow, WorkerRow
from wan_pipelines.ledger.whose import House

LATEST_WORKERS = 60
LATEST_TAKES = 600


@dataclass(frozen=True, slots=True)
class Pace:
    """A take and what it took; if it went on from a checkpoint, in fewer steps than asked for.

    What was drawn with less than was asked for tells nothing and is left out. `engine` is what drew
    it, its runtime's fingerprint included; `started_at` in microseconds.
    """

    request: Mapping[str, Any]
    steps: int
    microseconds: int
    peak_memory_bytes: int
    worker_id: str
    engine: str
    started_at: int


def latest_workers(gpu_class: str, gpu_count: int) -> Select[tuple[str]]:
    """Identifiers of the latest workers on GPUs of a class, latest first."""
    return (
        select(WorkerRow.id)
        .where(WorkerRow.gpu_class == gpu_class, WorkerRow.gpu_count == gpu_count)
        .order_by(WorkerRow.started_at.desc())
        .limit(LATEST_WORKERS)
    )


def paces(ledger: Ledger, gpu_class: str, gpu_count: int) -> tuple[Pace, ...]:
    """Of the latest workers on GPUs of a class, latest first; of all tenants: speed is no secret.

    Bounded, so that asking costs the same however much was rendered.
    """
    workers = latest_workers(gpu_class, gpu_count)
    text = TakeRow.text_microseconds + TakeRow.decode_microseconds
    denoising = TakeRow.denoise_high_microseconds + TakeRow.denoise_low_microseconds
    with ledger.read(House("estimates")) as session:
        latest = session.scalars(workers).all()
        found = session.execute(
            select(
                ShotRow.request,
                TakeRow.steps,
                (text + denoising).label("microseconds"),
                TakeRow.peak_memory_bytes,
                TakeRow.worker_id,
                TakeRow.engine,
                TakeRow.fingerprint,
                TakeRow.started_at,
            )
            .join(ShotRow, ShotRow.id == TakeRow.shot_id)
            .outerjoin(DescentRow, DescentRow.take_id == TakeRow.id)
            .where(
                TakeRow.worker_id.in_(latest),
                TakeRow.outcome.in_(("accepted", "forgotten")),
                TakeRow.decode_microseconds.is_not(None),
                DescentRow.take_id.is_(None),
            )
            .order_by(TakeRow.started_at.desc())
            .limit(LATEST_TAKES)
        ).all()
    return tuple(
        Pace(
            row.request,
            row.steps or 0,
            row.microseconds,
            row.peak_memory_bytes or 0,
            row.worker_id,
            f"{row.engine} {row.fingerprint}",
            row.started_at,
        )
        for row in found
    )
