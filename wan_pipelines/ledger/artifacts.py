"""Artifacts that were signed off: compiled code is loaded only if a record here names its sha256.

The store holds the bytes, and more people may write there. Append-only: the latest record of a key
holds, and the earlier ones tell what was loaded until then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.statements import storable
from wan_pipelines.ledger.tables import ArtifactRow
from wan_pipelines.ledger.whose import SHARED

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """What was built: its digest and size, the key of the store where it lies, and what it fits.

    `fits` are the names and values that `key_digest` is the digest of; `built_by` names the run and
    step, `provenance` what it was built from and with, and how long that took.
    """

    key_digest: str
    release: str
    sha256: str
    size_bytes: int
    place: str
    built_by: str
    fits: Pairs
    provenance: Mapping[str, Any]
    signed_at: datetime


def sign_off(ledger: Ledger, record: ArtifactRecord) -> None:
    """From now on this is the artifact for its key."""
    row = ArtifactRow(
        key_digest=record.key_digest,
        release=record.release,
        sha256=record.sha256,
        size_bytes=record.size_bytes,
        place=record.place,
        built_by=storable(record.built_by),
        fits=[list(pair) for pair in record.fits],
        provenance=dict(record.provenance),
        created_at=to_micros(record.signed_at),
    )
    with ledger.write(SHARED) as session:
        session.add(row)


def artifact_for(ledger: Ledger, key_digest: str) -> ArtifactRecord | None:
    """The artifact for a key; None when none was ever signed off."""
    return _latest(ledger, ArtifactRow.key_digest == key_digest)


def latest_artifact(ledger: Ledger, release: str) -> ArtifactRecord | None:
    """What was last built for a release, on whichever machine."""
    return _latest(ledger, ArtifactRow.release == release)


def _latest(ledger: Ledger, wanted: ColumnElement[bool]) -> ArtifactRecord | None:
    query = select(ArtifactRow).where(wanted).order_by(ArtifactRow.id.desc()).limit(1)
    with ledger.read(SHARED) as session:
        row = session.scalars(query).one_or_none()
        return row and _record(row)


def _record(row: ArtifactRow) -> ArtifactRecord:
    return ArtifactRecord(
        key_digest=row.key_digest,
        release=row.release,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        place=row.place,
        built_by=row.built_by,
        fits=tuple((name, value) for name, value in row.fits),
        provenance=row.provenance,
        signed_at=from_micros(row.created_at),
    )
