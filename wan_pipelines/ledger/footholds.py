"""Footholds: the rung of a release's ladder on which shots of a bucket begin.

A bucket is what makes shots need the same memory and time on the same GPUs. All shards and runs
share what one of them has found out; of all tenants, for how much memory there is is no secret.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, bindparam, select, update

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.statements import insert_missing, table
from wan_pipelines.ledger.tables import FootholdRow
from wan_pipelines.ledger.whose import SHARED


@dataclass(frozen=True, slots=True)
class Bucket:
    """`sampling` is the text of what the tier stands for, `exact` whether pixels may change."""

    release: str
    release_identity: str
    width: int
    height: int
    frames: int
    sampling: str
    gpu_class: str
    gpu_count: int
    exact: bool

    @property
    def digest(self) -> str:
        """sha256 hex of all of it."""
        return _digest_of(self)


@lru_cache(maxsize=64)
def _digest_of(bucket: Bucket) -> str:
    """A campaign has few buckets and many shots."""
    return hashlib.sha256(json.dumps(asdict(bucket), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Foothold:
    """The rung, since when, and how many probes of a higher one have failed since."""

    rung: str
    misses: int
    since: datetime


def foothold(ledger: Ledger, bucket: Bucket) -> Foothold | None:
    """Where the bucket's shots begin; None: where nothing ever gave out."""
    with ledger.look(SHARED) as transaction:
        row = transaction.execute(_OF_BUCKET, {"digest": bucket.digest}).one_or_none()
        return Foothold(row.rung, row.misses, from_micros(row.since)) if row else None


def set_foothold(
    ledger: Ledger, bucket: Bucket, rung: str, *, misses: int = 0, now: datetime
) -> None:
    """From now on the bucket's shots begin on that rung."""
    moment = to_micros(now)
    facts = {name: getattr(bucket, name) for name in _FACTS}
    values = {"rung": rung, "misses": misses, "since": moment}
    with ledger.write(SHARED) as session:
        row = {"bucket": bucket.digest, **facts, **values, "created_at": moment}
        insert_missing(session, FootholdRow, [row])
        session.execute(update(FootholdRow).where(_is(bucket)).values(values))


def claim_probe(ledger: Ledger, bucket: Bucket, seen: Foothold, *, now: datetime) -> bool:
    """Whether this worker, of all that saw the same, is the one to try a higher rung."""
    as_seen = (_is(bucket), FootholdRow.since == to_micros(seen.since))
    claim = update(FootholdRow).where(*as_seen).values(since=to_micros(now))
    with ledger.write(SHARED) as session:
        return cast("CursorResult[Any]", session.execute(claim)).rowcount == 1


def footholds(ledger: Ledger) -> tuple[tuple[str, Foothold], ...]:
    """All buckets that do not begin at the top, in words, for the operator."""
    query = select(FootholdRow).where(FootholdRow.rung != "").order_by(FootholdRow.since)
    with ledger.read(SHARED) as session:
        return tuple(
            (
                f"{row.release} {row.width}x{row.height}x{row.frames} on {row.gpu_class}",
                Foothold(row.rung, row.misses, from_micros(row.since)),
            )
            for row in session.scalars(query)
        )


def _is(bucket: Bucket) -> ColumnElement[bool]:
    return FootholdRow.bucket == bucket.digest


_FOOTHOLDS = table(FootholdRow).c
_OF_BUCKET = select(_FOOTHOLDS.rung, _FOOTHOLDS.misses, _FOOTHOLDS.since).where(
    _FOOTHOLDS.bucket == bindparam("digest")
)
_FACTS = ("release", "width", "height", "frames", "gpu_class", "gpu_count", "exact")
