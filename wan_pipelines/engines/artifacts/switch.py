"""Which code a pipeline's blocks run for a request: diffusers' own, or that of an artifact."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from wan_pipelines.engines.artifacts.blocks import CompiledBlocks
from wan_pipelines.engines.artifacts.build import EXPERTS, build
from wan_pipelines.engines.artifacts.keys import MAX_TOKENS, ArtifactKey, key_of
from wan_pipelines.engines.artifacts.packages import Unusable
from wan_pipelines.engines.artifacts.shelf import Shelf, fetch
from wan_pipelines.engines.fingerprint import Device, Fingerprint
from wan_pipelines.engines.options.tier_options import Compiled
from wan_pipelines.engines.protocol import EAGER, Compilation
from wan_pipelines.engines.releases import Release
from wan_pipelines.errors import EngineError
from wan_pipelines.weights.sources import WeightsFolder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where an engine has artifacts from. `cache` is a folder of this node for the compiler."""

    shelf: Shelf
    cache: Path


@dataclass(frozen=True, slots=True)
class _Package:
    sha256: str
    data: bytes


class BlockCode:
    """The code of a loaded pipeline's blocks. Compiled code that there is not has a reason."""

    def __init__(
        self, compiled: CompiledBlocks | None, artifacts: tuple[str, ...] = (), missed: str = ""
    ) -> None:
        self._compiled = compiled
        self._artifacts = artifacts
        self._missed = missed

    def use(self, wanted: Compiled | None, tokens: int) -> Compilation:
        """Makes the next forwards, of clips of so many tokens, run what a tier wants.

        EngineError when it wants compiled code always and that cannot be had.
        """
        if wanted is None:
            self._switch(on=False)
            return EAGER
        missed = self._why_not(tokens)
        if missed and wanted == "always":
            raise EngineError(
                f"The tier is `compiled: always`, and its blocks are not: {missed}. Materialize "
                "the engine on a machine of this kind, or set `compiled: if_built`."
            )
        self._switch(on=not missed)
        return Compilation(missed=missed) if missed else Compilation(self._artifacts)

    def _why_not(self, tokens: int) -> str:
        if self._compiled is None:
            return self._missed
        if tokens > MAX_TOKENS:
            return f"a clip of {tokens} tokens is longer than the {MAX_TOKENS} it was built for"
        return "the weights were moved after it was loaded" if self._compiled.moved else ""

    def _switch(self, *, on: bool) -> None:
        if self._compiled:
            self._compiled.switch(on=on)

    def close(self) -> None:
        """Gives the memory of the blocks' weights back; the pipeline is of no use afterwards."""
        if self._compiled:
            self._compiled.free()


def code_of(loaded: "Loaded", wanted: Collection[Compiled], workshop: Workshop | None) -> BlockCode:
    """The artifacts that tiers want, loaded into a pipeline that is in its place.

    Where one is missing or not usable and a tier wants it always, it is compiled here, in minutes,
    and published. EngineError when that fails.
    """
    if not wanted:
        return BlockCode(None, missed="no tier of the release asks for it")
    if workshop is None:
        return BlockCode(None, missed="this process has no place for artifacts")
    try:
        return _installed(loaded, partial(_published, loaded, workshop))
    except Unusable as reason:
        missed = str(reason)
    log.warning("%s: no compiled blocks: %s.", loaded.release.name, missed)
    if "always" not in wanted:
        return BlockCode(None, missed=missed)
    return _installed(loaded, partial(_compiled_here, loaded, workshop))


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A pipeline on its device, and what it was made of."""

    pipeline: Any
    release: Release
    weights: WeightsFolder
    fingerprint: Fingerprint
    device: Device

    @property
    def experts(self) -> dict[str, Any]:
        found = {name: getattr(self.pipeline, name, None) for name in EXPERTS}
        return {name: expert for name, expert in found.items() if expert is not None}

    def key(self, expert: str) -> ArtifactKey:
        return key_of(
            self.experts[expert],
            text_tokens=self.release.max_sequence_length,
            timestep_per_token=bool(self.pipeline.config.expand_timesteps),
            fingerprint=self.fingerprint,
        )


_PackageFor = Callable[[str, ArtifactKey], _Package]
"""The package for an expert, whose blocks have that key."""


def _installed(loaded: Loaded, package_for: _PackageFor) -> BlockCode:
    """Experts whose blocks are alike share a package."""
    by_key: dict[ArtifactKey, _Package] = {}
    packages: dict[str, _Package] = {}
    for name in loaded.experts:
        key = loaded.key(name)
        by_key[key] = packages[name] = by_key.get(key) or package_for(name, key)
    blocks = CompiledBlocks(
        loaded.experts, {name: package.data for name, package in packages.items()}
    )
    digests = tuple(package.sha256 for package in by_key.values())
    log.info("%s: compiled blocks %s.", loaded.release.name, ", ".join(digests))
    return BlockCode(blocks, digests)


def _published(loaded: Loaded, workshop: Workshop, _expert: str, key: ArtifactKey) -> _Package:
    """Unusable unless there is one for this key, and it is whole."""
    artifact, data = fetch(workshop.shelf, key, loaded.release.name)
    return _Package(artifact.sha256, data)


def _compiled_here(loaded: Loaded, workshop: Workshop, expert: str, key: ArtifactKey) -> _Package:
    """EngineError when it does not compile, or what compiles is for something else."""
    built = build(
        loaded.release,
        loaded.weights,
        loaded.fingerprint,
        loaded.device,
        expert=expert,
        cache=workshop.cache,
    )
    if built.key != key:
        raise EngineError(
            f"{loaded.release.name}: what was compiled is not for the pipeline that is loaded; it "
            f"differs in {'; '.join(key.differences(built.key))}. "
            "Take `compiled` out of the tier."
        )
    workshop.shelf.publish(built)
    return _Package(built.sha256, built.data)
