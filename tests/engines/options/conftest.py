"""A release with tiers of all kinds, on a tiny pipeline, and what happens inside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.releases import folder_release, request_for
from tests.support.tiny_pipeline import tiny_folder
from wan_pipelines.engines.reference import ReferenceEngine, load_reference_engine
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.weights.sources import FolderSource

__all__ = ["tiny_folder"]

UNGUIDED = {"steps": 8, "guidance": 1.0}


@dataclass
class Forwards:
    """How often the self-attention of a block was computed."""

    count: int = 0


def tiered(folder: Path, **tiers: dict[str, Any]) -> Release:
    """Tiers of eight steps beside one, `plain`, that sets nothing."""
    named = {name: {**UNGUIDED, **tier} for name, tier in {"plain": {}, **tiers}.items()}
    return folder_release(folder, dtype="float32", tiers=named, default_tier="plain")


def request_in(release: Release, tier: str, **changes: object) -> RenderRequest:
    sampling = replace(release.sampling(tier), max_sequence_length=32)
    return request_for(release, "a red ball", **{"sampling": sampling, **changes})


def engine_for(release: Release, folder: Path, tier: str = "plain") -> ReferenceEngine:
    weights = FolderSource(folder).ensure(folder)
    return load_reference_engine(release, weights, threads=1, engine=release.sampling(tier).engine)


@contextmanager
def counted(engine: ReferenceEngine) -> Iterator[Forwards]:
    forwards = Forwards()

    def one_more(*_: Any) -> None:
        forwards.count += 1

    experts = engine._pipeline.transformer, engine._pipeline.transformer_2
    queries = [block.attn1.to_q for expert in experts for block in expert.blocks]
    handles = [query.register_forward_pre_hook(one_more) for query in queries]
    try:
        yield forwards
    finally:
        for handle in handles:
            handle.remove()


@pytest.fixture(scope="session")
def plain_release(tiny_folder: Path) -> Release:
    return tiered(tiny_folder)
