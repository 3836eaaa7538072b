"""Rows of the line, as the policy sees them and as people do."""

from collections.abc import Iterable

from wan_pipelines.ledger.moments import from_micros, from_micros_or_none
from wan_pipelines.ledger.tables import TurnRow
from wan_pipelines.ledger.turn_records import TurnInLine
from wan_pipelines.scheduling.records import Running, Waiting


def id_of(row: TurnRow) -> str:
    """In the order of the rows, as shards were cut."""
    return f"{row.id:019}"


def running(rows: Iterable[TurnRow]) -> list[Running]:
    """Those that have begun."""
    return [
        Running(
            id_of(row),
            row.tenant,
            row.gpu_class or "",
            row.gpu_microseconds / 1e6,
            row.began_at / 1e6,
        )
        for row in rows
        if row.began_at is not None
    ]


def again(row: TurnRow, run_id: str, moment: int) -> TurnRow:
    """The same shard of a run that repeats another, which did not cut it anew."""
    return TurnRow(
        tenant=row.tenant,
        campaign=row.campaign,
        edition=row.edition,
        run_id=run_id,
        shard=row.shard,
        gpu_microseconds=row.gpu_microseconds,
        gpu_classes=row.gpu_classes,
        priority=row.priority,
        can_wait=row.can_wait,
        due_at=row.due_at,
        created_at=moment,
    )


def waiting_of(row: TurnRow) -> Waiting:
    """A row that has asked, whether it has begun or not."""
    return Waiting(
        id=id_of(row),
        tenant=row.tenant,
        batch=row.run_id,
        gpu_seconds=row.gpu_microseconds / 1e6,
        since=(row.asked_at or 0) / 1e6,
        gpu_classes=tuple(row.gpu_classes),
        priority=row.priority,
        can_wait=row.can_wait,
        due=None if row.due_at is None else row.due_at / 1e6,
    )


def shown(row: TurnRow) -> TurnInLine:
    """A row that has asked."""
    return TurnInLine(
        tenant=row.tenant,
        campaign=row.campaign,
        edition=row.edition,
        shard=row.shard,
        run_id=row.run_id,
        priority=row.priority,
        can_wait=row.can_wait,
        gpu_seconds=row.gpu_microseconds / 1e6,
        gpu_classes=tuple(row.gpu_classes),
        gpu_class=row.gpu_class,
        due_at=from_micros_or_none(row.due_at),
        asked_at=from_micros(row.asked_at or 0),
        began_at=from_micros_or_none(row.began_at),
    )
