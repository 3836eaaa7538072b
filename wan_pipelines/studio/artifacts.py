"""Compiled artifacts of a deployment: their bytes in the store, their digests in the ledger.

The store may be written by more people than the ledger, so it is the ledger that says what may be
loaded: an artifact that lies in the store and is not on record there is none.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from wan_pipelines.engines.artifacts.build import build, keys_of_release
from wan_pipelines.engines.artifacts.keys import ArtifactKey
from wan_pipelines.engines.artifacts.packages import SignedOff, Unusable
from wan_pipelines.engines.artifacts.shelf import Built, fetch
from wan_pipelines.engines.artifacts.switch import Workshop
from wan_pipelines.engines.prepare import PreparedEngine
from wan_pipelines.errors import EngineError, StorageError
from wan_pipelines.ledger.artifacts import (
    ArtifactRecord,
    artifact_for,
    latest_artifact,
    sign_off,
)
from wan_pipelines.storage.keys import artifact_key
from wan_pipelines.studio.studio import Studio

DIFFERENCES_SHOWN = 4


class LedgerShelf:
    """See `Shelf`; `built_by` names the run and step on whose behalf something is published."""

    def __init__(self, studio: Studio, built_by: str) -> None:
        self._studio = studio
        self._built_by = built_by

    def find(self, key: ArtifactKey, release: str) -> SignedOff:
        record = artifact_for(self._studio.ledger, key.digest)
        if record is None:
            raise Unusable(self._nearest(key, release))
        return SignedOff(record.sha256, record.size_bytes, record.place)

    def read(self, artifact: SignedOff) -> bytes:
        try:
            with self._studio.store.open(artifact.place) as file:
                return file.read(artifact.size_bytes + 1)
        except StorageError as error:
            raise Unusable(str(error)) from None

    def publish(self, built: Built) -> SignedOff:
        """The bytes first: what is on record is there."""
        place = artifact_key(built.key.digest, f"{built.sha256}.pt2")
        record = ArtifactRecord(
            key_digest=built.key.digest,
            release=built.provenance.release,
            sha256=built.sha256,
            size_bytes=len(built.data),
            place=place,
            built_by=self._built_by,
            fits=built.key.parts,
            provenance=built.provenance.to_json(),
            signed_at=built.provenance.built_at,
        )
        self._studio.store.put_bytes(place, built.data)
        self._studio.store.put_bytes(
            artifact_key(built.key.digest, f"{built.sha256}.json"), _for_people(record)
        )
        sign_off(self._studio.ledger, record)
        return SignedOff(record.sha256, record.size_bytes, record.place)

    def _nearest(self, key: ArtifactKey, release: str) -> str:
        last = latest_artifact(self._studio.ledger, release)
        if last is None:
            return f"none was built for {release}"
        differences = key.differences(ArtifactKey(tuple(last.fits)))
        shown = "; ".join(differences[:DIFFERENCES_SHOWN])
        more = len(differences) - DIFFERENCES_SHOWN
        rest = f" and {more} more" if more > 0 else ""
        return f"none fits this process: the last one for {release} differs in {shown}{rest}"


@dataclass(frozen=True, slots=True)
class ArtifactState:
    """What became of the artifact for one or both experts of a release."""

    experts: tuple[str, ...]
    key: ArtifactKey
    state: Literal["there already", "built", "not built"]
    sha256: str = ""
    size_bytes: int = 0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    why: str = ""


def workshop(studio: Studio, built_by: str) -> Workshop:
    """Where engines of this deployment have their artifacts from."""
    return Workshop(LedgerShelf(studio, built_by), studio.cache / "inductor")


def publish_artifacts(
    studio: Studio, prepared: PreparedEngine, built_by: str
) -> tuple[ArtifactState, ...]:
    """Build what the release's tiers want and this machine has not got; nothing if none does.

    Without a compiler nothing is built, and workers render eagerly. EngineError then if a tier is
    `compiled: always`: nothing could be rendered in it.
    """
    wanted = {tier.compiled for tier in prepared.release.tiers.values()} - {None}
    if not wanted:
        return ()
    states = tuple(_published(prepared, workshop(studio, built_by)))
    missing = [state.why for state in states if state.state == "not built"]
    if missing and "always" in wanted:
        raise EngineError(missing[0])
    return states


def _published(prepared: PreparedEngine, place: Workshop) -> Iterator[ArtifactState]:
    keys = keys_of_release(
        prepared.release, prepared.weights, prepared.fingerprint, prepared.device
    )
    for key in dict.fromkeys(keys.values()):
        experts = tuple(expert for expert, each in keys.items() if each == key)
        try:
            yield _present(prepared, place, experts, key)
        except Unusable:
            yield _built(prepared, place, experts, key)


def _present(
    prepared: PreparedEngine, place: Workshop, experts: tuple[str, ...], key: ArtifactKey
) -> ArtifactState:
    artifact, _ = fetch(place.shelf, key, prepared.release.name)
    return ArtifactState(
        experts, key, "there already", sha256=artifact.sha256, size_bytes=artifact.size_bytes
    )


def _built(
    prepared: PreparedEngine, place: Workshop, experts: tuple[str, ...], key: ArtifactKey
) -> ArtifactState:
    try:
        built = build(
            prepared.release,
            prepared.weights,
            prepared.fingerprint,
            prepared.device,
            expert=experts[0],
            cache=place.cache,
        )
    except EngineError as error:
        return ArtifactState(experts, key, "not built", why=str(error))
    place.shelf.publish(built)
    return ArtifactState(
        experts,
        key,
        "built",
        sha256=built.sha256,
        size_bytes=len(built.data),
        wall_seconds=built.provenance.wall_seconds,
        cpu_seconds=built.provenance.cpu_seconds,
    )


def _for_people(record: ArtifactRecord) -> bytes:
    """The record beside the bytes; nothing trusts it."""
    told = {
        "sha256": record.sha256,
        "size_bytes": record.size_bytes,
        "key": record.key_digest,
        "fits": dict(record.fits),
        "built_by": record.built_by,
        "provenance": record.provenance,
    }
    return (json.dumps(told, indent=2) + "\n").encode()
