"""Two processes that render together, on CPUs over gloo."""

import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import pytest

from tests.engines.options.conftest import engine_for, request_in, tiered
from tests.support.tiny_pipeline import tiny_folder
from wan_pipelines.engines.parallel.follower import LEFT_ALONE
from wan_pipelines.engines.parallel.joining import Membership
from wan_pipelines.engines.parallel.leading import FOLLOWER, Company, Follower, gathered
from wan_pipelines.engines.reference import ReferenceEngine
from wan_pipelines.engines.releases import Release
from wan_pipelines.errors import EngineError, RenderError

__all__ = ["tiny_folder"]

PATIENCE_SECONDS = 120.0
PARALLEL = {"ulysses_degree": 2}


@pytest.fixture(scope="module")
def release(tiny_folder: Path) -> Release:
    return tiered(
        tiny_folder,
        even={"steps": 2, "context_parallel": PARALLEL},
        anything={"steps": 2, "context_parallel": {**PARALLEL, "ulysses_anything": True}},
        alone={"steps": 2},
    )


@pytest.fixture(scope="module")
def alone(release: Release, tiny_folder: Path) -> ReferenceEngine:
    return engine_for(release, tiny_folder, "alone")


@pytest.fixture(scope="module")
def engine(release: Release, tiny_folder: Path) -> Iterator[ReferenceEngine]:
    engine = engine_for(release, tiny_folder, "anything")
    yield engine
    assert engine._loaded
    engine._loaded.close()
    assert followers() == []


def followers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if FOLLOWER in child.cmdline()]


def tokens_of(engine: ReferenceEngine, tier: str) -> set[int]:
    """That a block is given in this process."""
    seen: set[int] = set()
    query = engine._pipeline.transformer.blocks[0].attn1.to_q
    hook = query.register_forward_pre_hook(lambda _, given: seen.add(given[0].shape[1]))
    engine.render(request_in(engine.release, tier, width=80, frames=5))
    hook.remove()
    return seen


def likeness(engine: ReferenceEngine, alone: ReferenceEngine, tier: str, **shape: int) -> int:
    """Largest difference, in grey levels, to what one process draws."""
    together = engine.render(request_in(engine.release, tier, **shape)).frames.astype(int)
    expected = alone.render(request_in(alone.release, "alone", **shape)).frames
    assert expected.std() > 5
    return int(np.abs(together - expected).max())


def test_two_processes_draw_what_one_draws(engine: ReferenceEngine, alone: ReferenceEngine) -> None:
    """80 pixels make tokens that do not divide evenly, which diffusers is told to allow."""
    (first,) = followers()
    assert likeness(engine, alone, "anything", width=80, frames=5) <= 1
    assert followers() == [first], "it stays for the next shot"


def test_each_computes_a_part_of_the_tokens(
    engine: ReferenceEngine, alone: ReferenceEngine
) -> None:
    shares = [tokens_of(each, tier) for each, tier in ((engine, "anything"), (alone, "alone"))]
    assert shares == [{20}, {40}]


@pytest.mark.filterwarnings("ignore:.*all_gather_tensor:FutureWarning")  # of diffusers, to torch
def test_when_one_dies_the_shot_fails_and_the_next_one_has_a_new_company(
    engine: ReferenceEngine, alone: ReferenceEngine
) -> None:
    (victim,) = followers()

    def kill(step: int, steps: int) -> None:
        if step == 1:
            victim.kill()

    with pytest.raises(EngineError, match=r"Process 1 .* ended with -9"):
        engine.render(request_in(engine.release, "anything", frames=5), kill)
    assert followers() == []
    assert likeness(engine, alone, "even", frames=5) <= 1


def test_what_does_not_divide_is_refused_before_a_forward(engine: ReferenceEngine) -> None:
    with pytest.raises(RenderError, match="45 tokens do not divide among 2 GPUs"):
        engine.render(request_in(engine.release, "even", width=80, height=48, frames=9))


def test_a_company_does_not_outlive_a_pipeline_that_does_not_load(
    monkeypatch: pytest.MonkeyPatch, release: Release, tiny_folder: Path, tmp_path: Path
) -> None:
    idle = [sys.executable, "-c", "import time; time.sleep(600)"]
    process = subprocess.Popen(idle, stdin=subprocess.PIPE, text=True)
    company = Company([Follower(1, process, StringIO())], TemporaryDirectory())
    monkeypatch.setattr("wan_pipelines.engines.parallel.leading._gather", lambda _: company)
    with (
        pytest.raises(EngineError, match="no room"),
        gathered(member_of(release, tiny_folder, tmp_path)),
    ):
        raise EngineError("There is no room.")
    assert company.is_broken
    assert process.returncode == -9


def member_of(release: Release, weights: Path, folder: Path) -> Membership:
    return Membership(
        release=release,
        weights=weights,
        loras=(),
        engine=release.sampling("even").engine,
        kind="WanPipeline",
        device="cpu",
        threads=1,
        meeting=folder / "meeting",
        rank=1,
        size=2,
    )


def test_nobody_is_left_behind_when_the_process_that_leads_is_gone(
    release: Release, tiny_folder: Path, tmp_path: Path
) -> None:
    """Not even one that still waits for the others."""
    member = member_of(release, tiny_folder, tmp_path)
    assert Membership.from_line(member.to_line()) == member
    process = subprocess.Popen([sys.executable, "-m", FOLLOWER], stdin=subprocess.PIPE, text=True)
    process.communicate(member.to_line(), timeout=PATIENCE_SECONDS)
    assert process.returncode == LEFT_ALONE
