"""Are the files of accepted takes still there, and still what they were?"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from wan_pipelines.encoding.publish import manifest_key, read_manifest
from wan_pipelines.errors import StorageError
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import OutputFile, files_of_shots, output_files
from wan_pipelines.ledger.reports.descent_rows import degraded_takes
from wan_pipelines.ledger.takes import forget_outputs
from wan_pipelines.storage import ObjectStore
from wan_pipelines.studio.studio import Studio

CHUNK_BYTES = 1 << 20
REMEMBERED_DIGESTS = 100_000


@dataclass(frozen=True, slots=True)
class BrokenOutput:
    """A file of an accepted take that is lost or damaged."""

    render_key: str
    take_id: str
    file: str
    reason: str


def broken_outputs(studio: Studio, edition: EditionKey) -> Iterator[BrokenOutput]:
    """Files of the edition's videos that are not what the ledger says, and unreadable manifests.

    A file is only read when its signature in the store has changed since it was published.
    """
    files = output_files(studio.ledger, edition.tenant, edition.campaign, edition.edition)
    return _broken(studio.store, files)


def broken_videos(
    studio: Studio, tenant: str, render_keys: Collection[str]
) -> Iterator[BrokenOutput]:
    """As `broken_outputs`, of a tenant's shots, whichever edition made their takes."""
    return _broken(studio.store, files_of_shots(studio.ledger, tenant, render_keys))


def forget_broken(studio: Studio, tenant: str, render_keys: Collection[str]) -> None:
    """Give up accepted takes with lost or damaged files, so that their shots are rendered again."""
    for broken in broken_videos(studio, tenant, render_keys):
        forget_outputs(
            studio.ledger,
            tenant,
            broken.render_key,
            broken.reason,
            take_id=broken.take_id,
            now=datetime.now(UTC),
        )


def forget_degraded(studio: Studio, tenant: str, render_keys: Collection[str]) -> None:
    """Give up accepted takes that were drawn with less than their shots ask for."""
    for render_key, take_id in degraded_takes(studio.ledger, tenant, render_keys).items():
        forget_outputs(
            studio.ledger,
            tenant,
            render_key,
            "an exact render was asked for",
            take_id=take_id,
            now=datetime.now(UTC),
        )


def _broken(store: ObjectStore, files: Sequence[OutputFile]) -> Iterator[BrokenOutput]:
    for file in files:
        reason = _trouble(store, file)
        if reason:
            yield BrokenOutput(file.render_key, file.take_id, file.key, reason)
    takes = ((file.tenant, file.render_key, file.take_id) for file in files)
    for tenant, render_key, take_id in dict.fromkeys(takes):
        manifest = manifest_key(tenant, render_key, take_id)
        reason = _manifest_trouble(store, manifest)
        if reason:
            yield BrokenOutput(render_key, take_id, manifest, reason)


def _trouble(store: ObjectStore, file: OutputFile) -> str:
    info = store.stat(file.key)
    if info is None:
        return f"{file.key} is lost"
    if info.signature == file.signature:
        return ""
    if info.size_bytes != file.size_bytes:
        return f"{file.key} has {info.size_bytes} bytes instead of {file.size_bytes}"
    if _sha256(store, file.key, info.signature) != file.sha256:
        return f"{file.key} has other content than what was published"
    return ""


def _manifest_trouble(store: ObjectStore, key: str) -> str:
    info = store.stat(key)
    return _unreadable(store, key, info.signature) if info else f"{key} is lost"


@lru_cache(maxsize=REMEMBERED_DIGESTS)
def _unreadable(store: ObjectStore, key: str, signature: str) -> str:  # noqa: ARG001
    """Why a manifest cannot be read; empty if it can. The signature is part of the cache's key."""
    try:
        read_manifest(store, key)
    except StorageError as error:
        return str(error)
    return ""


@lru_cache(maxsize=REMEMBERED_DIGESTS)
def _sha256(store: ObjectStore, key: str, signature: str) -> str:  # noqa: ARG001
    """The digest of an object; the signature is part of the cache's key."""
    with store.open(key) as file:
        digest = hashlib.sha256()
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
