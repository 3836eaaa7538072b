"""From a release to an engine: verified weights, a machine that fits, then the pipeline."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from wan_pipelines.engines.fingerprint import Device, Fingerprint, read_fingerprint
from wan_pipelines.engines.loras import LoraFile, ensure_loras
from wan_pipelines.engines.needs import check_needs
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.engines.releases import Release
from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.sources import WeightsFolder

PROBLEMS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class PreparedEngine:
    """Everything that is known before a byte of a model is loaded."""

    release: Release
    weights: WeightsFolder
    loras: tuple[LoraFile, ...]
    fingerprint: Fingerprint
    device: Device
    threads: int

    @property
    def digest(self) -> str:
        """sha256 hex of release, weights and runtime."""
        parts = [
            self.release.identity,
            self.weights.manifest.digest,
            self.fingerprint.digest,
            self.device,
            self.threads,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def prepare(
    release: Release,
    cache: Path,
    *,
    device: Device = "cpu",
    threads: int = 1,
    allow_download: bool = False,
    digests: bool = True,
) -> PreparedEngine:
    """Compares the machine with what the release needs, then fetches and verifies its weights.

    `digests=False` skips the sha256 of every file, for a worker whose node has verified them
    before. FingerprintMismatch or WeightsError say what is wrong.
    """
    fingerprint = read_fingerprint(device, threads)
    check_needs(release.needs, fingerprint)
    weights = release.weights_source(allow_download=allow_download).ensure(cache)
    verify_weights(weights, digests=digests)
    loras = ensure_loras(release, cache, allow_download=allow_download)
    return PreparedEngine(release, weights, loras, fingerprint, device, threads)


def verify_weights(weights: WeightsFolder, *, digests: bool = True) -> None:
    """WeightsError that lists the files which differ from the manifest."""
    problems = weights.manifest.verify(weights.path, digests=digests)
    if problems:
        shown = "\n".join(f"- {problem}" for problem in problems[:PROBLEMS_SHOWN])
        more = len(problems) - PROBLEMS_SHOWN
        raise WeightsError(
            f"The weights in {weights.path} are not whole:\n{shown}"
            + (f"\n- and {more} more" if more > 0 else "")
            + "\nFetch them again."
        )


def load(prepared: PreparedEngine) -> Engine:
    """The engine itself, in this process; EngineError when it does not load."""
    from wan_pipelines.engines.reference import load_reference_engine

    return load_reference_engine(
        prepared.release,
        prepared.weights,
        prepared.loras,
        device=prepared.device,
        threads=prepared.threads,
    )
