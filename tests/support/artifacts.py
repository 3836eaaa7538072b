"""One artifact for all tests that need one: compiling it takes longer than all of them."""

import os
import shutil
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.releases import folder_release
from tests.support.tiny_pipeline import write_tiny_pipeline
from wan_pipelines.engines.artifacts.build import compiler
from wan_pipelines.engines.artifacts.keys import ArtifactKey
from wan_pipelines.engines.artifacts.packages import SignedOff, Unusable
from wan_pipelines.engines.artifacts.shelf import Built
from wan_pipelines.engines.artifacts.switch import Workshop
from wan_pipelines.engines.reference import ReferenceEngine, load_reference_engine
from wan_pipelines.engines.releases import Release
from wan_pipelines.weights.sources import FolderSource

TEXT_TOKENS = 16
SEEN = {"steps": 2, "guidance": 2.0, "guidance_2": 1.5}


@dataclass
class MemoryShelf:
    """Artifacts by key; whoever holds the shelf may damage them, as somebody might in a store."""

    signed: dict[ArtifactKey, SignedOff] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    published: list[Built] = field(default_factory=list)

    def find(self, key: ArtifactKey, release: str) -> SignedOff:
        if key not in self.signed:
            raise Unusable(f"none was built for {release}")
        return self.signed[key]

    def read(self, artifact: SignedOff) -> bytes:
        return self.stored[artifact.place]

    def publish(self, built: Built) -> SignedOff:
        self.published.append(built)
        self.signed[built.key] = SignedOff(built.sha256, len(built.data), built.sha256)
        self.stored[built.sha256] = built.data
        return self.signed[built.key]


def compiled_release(folder: Path, *, compiled: str) -> Release:
    """The tiny release with a tier of each kind; `compiled` is that of `fast`."""
    return folder_release(
        folder,
        dtype="float32",
        max_sequence_length=TEXT_TOKENS,
        tiers={"eager": SEEN, "fast": {**SEEN, "compiled": compiled}},
        default_tier="eager",
    )


def engine_with(release: Release, folder: Path, shelf: MemoryShelf) -> ReferenceEngine:
    """An engine on one thread that has its artifacts from `shelf`."""
    weights = FolderSource(folder).ensure(folder)
    workshop = Workshop(shelf, inductor_folder())
    return load_reference_engine(release, weights, threads=1, workshop=workshop)


def inductor_folder() -> Path:
    """Kept from one session to the next: what torch finds out about this machine takes long."""
    return Path(__file__).parents[2] / ".pytest_cache" / "inductor"


def built_artifact() -> Built:
    """What a worker compiles and publishes when it finds nothing, and its tier wants it always."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CXX", raising=False)  # which `no_compiler` may have set already
        if compiler() is None:
            pytest.skip("needs a C++ compiler")
        return _built()


@cache
def _built() -> Built:
    with TemporaryDirectory() as name:
        folder = write_tiny_pipeline(Path(name) / "pipeline")
        shelf = MemoryShelf()
        engine_with(compiled_release(folder, compiled="always"), folder, shelf)
    (built,) = shelf.published
    return built


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without one."""
    name = "no-such-compiler"
    assert shutil.which(name) is None
    monkeypatch.setitem(os.environ, "CXX", name)
