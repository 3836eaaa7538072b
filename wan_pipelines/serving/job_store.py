"""Jobs in a small SQLite file, which outlives the server."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Literal
from uuid import uuid4

from wan_pipelines.serving.jobs import Job
from wan_pipelines.serving.problems import key_reused
from wan_pipelines.serving.wishes import Order

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    idempotency_key TEXT,
    wish_digest TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'in_progress', 'completed', 'failed')),
    video_order TEXT NOT NULL,
    created_at REAL NOT NULL,
    completed_at REAL,
    expires_at REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error_code TEXT,
    error_message TEXT,
    UNIQUE (owner, idempotency_key)
)
"""
SELECT = "SELECT * FROM jobs"


class QueueFull(Exception):
    """As many jobs wait as may."""


class JobStore:
    """The jobs of one server; its methods may be called from several threads."""

    def __init__(self, file: Path) -> None:
        self._lock = Lock()
        self._database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute(SCHEMA)

    def close(self) -> None:
        self._database.close()

    def add(
        self, owner: str, order: Order, *, digest: str, key: str | None, most_waiting: int
    ) -> Job:
        """A new job, or the one that the owner's `key` has made before.

        A Refusal when that one was asked for otherwise (`digest`), QueueFull when too many wait.
        """
        with self._transaction() as database:
            if key is not None and (known := self._made_by(owner, key)):
                if known["wish_digest"] != digest:
                    raise key_reused()
                return _job(known)
            if self._count("queued") >= most_waiting:
                raise QueueFull
            job = Job(f"video_{uuid4().hex}", owner, "queued", order, time.time())
            database.execute(
                "INSERT INTO jobs (id, owner, idempotency_key, wish_digest, status, video_order, "
                "created_at) VALUES (?, ?, ?, ?, 'queued', ?, ?)",
                (job.id, owner, key, digest, json.dumps(order.to_json()), job.created_at),
            )
            return job

    def get(self, owner: str, job_id: str) -> Job | None:
        """The job of that id, if it is this owner's."""
        with self._transaction():
            return self._one(f"{SELECT} WHERE id = ? AND owner = ?", job_id, owner)

    def page(
        self, owner: str, *, after: str | None, limit: int, order: Literal["asc", "desc"]
    ) -> tuple[list[Job], bool] | None:
        """Up to `limit` jobs beyond `after`, and whether there are more; None: no such `after`."""
        direction, beyond = ("ASC", ">") if order == "asc" else ("DESC", "<")
        with self._transaction() as database:
            where, values = "owner = ?", [owner]
            if after is not None:
                found = database.execute(
                    "SELECT number FROM jobs WHERE id = ? AND owner = ?", (after, owner)
                ).fetchone()
                if found is None:
                    return None
                where, values = f"{where} AND number {beyond} ?", [*values, found[0]]
            rows = database.execute(
                f"{SELECT} WHERE {where} ORDER BY number {direction} LIMIT ?", (*values, limit + 1)
            ).fetchall()
        return [_job(row) for row in rows[:limit]], len(rows) > limit

    def delete(self, owner: str, job_id: str) -> bool:
        """Forgets a job and its key; whether there was one."""
        with self._transaction() as database:
            return _changed(
                database.execute("DELETE FROM jobs WHERE id = ? AND owner = ?", (job_id, owner))
            )

    def begin_next(self) -> Job | None:
        """The job that has waited longest, now in progress."""
        with self._transaction() as database:
            job = self._one(f"{SELECT} WHERE status = 'queued' ORDER BY number LIMIT 1")
            if job is None:
                return None
            database.execute(
                "UPDATE jobs SET status = 'in_progress', attempts = attempts + 1 WHERE id = ?",
                (job.id,),
            )
            return self._one(f"{SELECT} WHERE id = ?", job.id)

    def complete(self, job_id: str, *, expires_at: float) -> bool:
        """False when the job was deleted meanwhile."""
        return self._end(job_id, "completed", expires_at, None, None)

    def fail(self, job_id: str, code: str, message: str, *, expires_at: float) -> bool:
        """False when the job was deleted meanwhile."""
        return self._end(job_id, "failed", expires_at, code, message)

    def put_back(self, job_id: str) -> None:
        """To the place in the queue that it had: it was not its fault."""
        with self._transaction() as database:
            database.execute(
                "UPDATE jobs SET status = 'queued', attempts = attempts - 1 WHERE id = ?",
                (job_id,),
            )

    def put_back_interrupted(self) -> int:
        """What was in progress when the last server died waits again; how many."""
        with self._transaction() as database:
            statement = "UPDATE jobs SET status = 'queued' WHERE status = 'in_progress'"
            return database.execute(statement).rowcount

    def remove_expired(self) -> list[str]:
        """Forgets jobs that were kept long enough; their ids."""
        with self._transaction() as database:
            statement = "DELETE FROM jobs WHERE expires_at < ? RETURNING id"
            return [row[0] for row in database.execute(statement, (time.time(),)).fetchall()]

    def waiting(self) -> int:
        with self._transaction():
            return self._count("queued")

    def _end(
        self, job_id: str, status: str, expires_at: float, code: str | None, message: str | None
    ) -> bool:
        with self._transaction() as database:
            return _changed(
                database.execute(
                    "UPDATE jobs SET status = ?, completed_at = ?, expires_at = ?, "
                    "error_code = ?, error_message = ? WHERE id = ?",
                    (status, time.time(), expires_at, code, message, job_id),
                )
            )

    def _made_by(self, owner: str, key: str) -> sqlite3.Row | None:
        return self._database.execute(
            f"{SELECT} WHERE owner = ? AND idempotency_key = ?", (owner, key)
        ).fetchone()

    def _count(self, status: str) -> int:
        statement = "SELECT count(*) FROM jobs WHERE status = ?"
        return self._database.execute(statement, (status,)).fetchone()[0]

    def _one(self, statement: str, *values: str) -> Job | None:
        row = self._database.execute(statement, values).fetchone()
        return _job(row) if row else None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            with self._database:
                yield self._database


def _changed(cursor: sqlite3.Cursor) -> bool:
    return cursor.rowcount > 0


def _job(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        owner=row["owner"],
        status=row["status"],
        order=Order.from_json(json.loads(row["video_order"])),
        created_at=row["created_at"],
        completed_at=row["completed_at"],
        expires_at=row["expires_at"],
        attempts=row["attempts"],
        error_code=row["error_code"],
        error_message=row["error_message"],
    )
