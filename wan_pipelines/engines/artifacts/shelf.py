"""Where artifacts are had from: the port behind which a deployment keeps and signs them."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from wan_pipelines.engines.artifacts.keys import ArtifactKey
from wan_pipelines.engines.artifacts.packages import SignedOff, check_package


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who built an artifact, from what, with what, and how long it took."""

    release: str
    release_identity: str
    weights: str
    fingerprint: str
    compiler: str
    code_version: str
    built_at: datetime
    wall_seconds: float
    cpu_seconds: float

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "built_at": self.built_at.isoformat()}


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A package that this process has just compiled."""

    key: ArtifactKey
    data: bytes
    sha256: str
    provenance: Provenance


class Shelf(Protocol):
    """Published artifacts, of which a record of this deployment names the digests."""

    def find(self, key: ArtifactKey, release: str) -> SignedOff:
        """The artifact for exactly this key; `Unusable` when there is none, with what is near."""
        ...

    def read(self, artifact: SignedOff) -> bytes:
        """Its bytes as they are now, unverified; `Unusable` when they cannot be had."""
        ...

    def publish(self, built: Built) -> SignedOff:
        """Keep an artifact and sign it off."""
        ...


def fetch(shelf: Shelf, key: ArtifactKey, release: str) -> tuple[SignedOff, bytes]:
    """The artifact for a key, whole and as it was signed off; `Unusable` if it cannot be had."""
    artifact = shelf.find(key, release)
    data = shelf.read(artifact)
    check_package(data, artifact)
    return artifact, data
