"""From a release to an engine: verified weights, a machine that fits, then the pipeline."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wan_pipelines.engines.fingerprint import Device, Fingerprint, read_fingerprint
from wan_pipelines.engines.loras import LoraFile, ensure_loras
from wan_pipelines.engines.needs import check_needs
from wan_pipelines.engines.options.probing import check_options
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.engines.releases import NOTHING_FETCHED, Release
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.weights.manifest import verify
from wan_pipelines.weights.mirrored import Supply
from wan_pipelines.weights.sources import WeightsFolder, WeightsSource

if TYPE_CHECKING:
    from wan_pipelines.engines.artifacts.switch import Workshop


@dataclass(frozen=True, slots=True)
class PreparedEngine:
    """Everything that is known before a byte of a model is loaded.

    `continuing` gives the weights of the image-to-video model that continues segments: only those
    who draw long videos need them.
    """

    release: Release
    weights: WeightsFolder
    loras: tuple[LoraFile, ...]
    fingerprint: Fingerprint
    device: Device
    continuing: Callable[[], WeightsFolder] | None = None

    @property
    def digest(self) -> str:
        """sha256 hex of release, weights and runtime."""
        parts = [
            self.release.identity,
            self.weights.manifest.digest,
            self.fingerprint.digest,
            self.device,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def prepare(
    release: Release,
    cache: Path,
    *,
    device: Device = "cpu",
    threads: int | None = None,
    supply: Supply = NOTHING_FETCHED,
    digests: bool = True,
) -> PreparedEngine:
    """Compares the machine with what the release needs, then fetches and verifies its weights.

    Its tiers' options are tried out before that, so that what is missing is told at once.

    `digests=False` skips the sha256 of every file, for a worker whose node has verified them
    before; those of a mirror were verified when they came. FingerprintMismatch, EngineError or
    WeightsError say what is wrong.
    """
    fingerprint = fingerprint_of(release, device, threads)
    check_needs(release.needs, fingerprint)
    check_options(release, device)
    weights = release.weights_source(supply).ensure(cache)
    verify(weights.path, weights.manifest, digests=digests and not weights.verified)
    loras = ensure_loras(release, cache, supply, digests=digests)
    source = release.continuing_source(supply)
    continuing = partial(_verified, source, cache) if source else None
    return PreparedEngine(release, weights, loras, fingerprint, device, continuing)


def _verified(source: WeightsSource, cache: Path) -> WeightsFolder:
    """Fetched if need be, and compared with their manifest by sizes."""
    weights = source.ensure(cache)
    verify(weights.path, weights.manifest, digests=False)
    return weights


def fingerprint_of(release: Release, device: Device, threads: int | None) -> Fingerprint:
    """Of what renders the release: this machine, or the server that holds its weights."""
    if isinstance(release.source, ServedWeights):
        return release.source.fingerprint()
    return read_fingerprint(device, threads)


def load(
    prepared: PreparedEngine, engine: str = "", *, workshop: "Workshop | None" = None
) -> Engine:
    """The engine itself, in this process; EngineError when it does not load.

    `engine` is the `Sampling.engine` of what it will render first; others are loaded when needed.
    """
    from wan_pipelines.engines.reference import load_reference_engine

    return load_reference_engine(
        prepared.release,
        prepared.weights,
        prepared.loras,
        device=prepared.device,
        threads=prepared.fingerprint.threads,
        engine=engine,
        workshop=workshop,
        continuing=prepared.continuing,
    )
