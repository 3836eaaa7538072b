"""The warm loop on a real engine."""

import time
from pathlib import Path

import numpy as np
import pytest

from tests.rendering.memory_book import MemoryBook
from tests.rendering.stage import RUN, assert_tiled
from tests.support.releases import folder_release, shot_for
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.prepare import load, prepare
from wan_pipelines.engines.protocol import Footage
from wan_pipelines.rendering.takes import Take
from wan_pipelines.rendering.worker import render_shard


def test_shots_of_two_shapes_on_one_warm_engine(tiny_folder: Path, tmp_path: Path) -> None:
    release = folder_release(tiny_folder, dtype="float32")
    prepared = prepare(release, tmp_path, threads=1)
    wanted = [
        shot_for(release, "a red ball rising"),
        shot_for(release, "a blue box falling", width=96, frames=5),
        shot_for(release, "a ball", width=72, name="wrong width"),
        shot_for(release, "a red ball rising", name="again", seed=8),
    ]
    footage: dict[str, np.ndarray] = {}

    def keep(shot: Shot, take: Take, rendered: Footage) -> tuple[str, ...]:
        footage[shot.name] = rendered.frames
        return (shot.name,)

    book = MemoryBook()
    started = time.monotonic()
    report = render_shard(wanted, lambda footing: load(prepared), book, keep, run=RUN)
    wall_seconds = time.monotonic() - started

    assert report.failed == ("wrong width",)
    assert footage["a blue box falling"].shape == (5, 64, 96, 3)
    assert not np.array_equal(footage["a red ball rising"], footage["again"])
    assert_tiled(book.spans)
    assert sum(report.seconds.values()) == pytest.approx(wall_seconds, abs=0.5)
    first, *_ = report.takes
    assert first.stages is not None
    spans = [span for span in book.spans if span.take_id == first.id]
    for kind, seconds in {
        "text": first.stages.text,
        "denoise": first.stages.denoise_high + first.stages.denoise_low,
        "decode": first.stages.decode,
    }.items():
        spent = sum(span.nanoseconds for span in spans if span.kind == kind) / 1e9
        assert spent == pytest.approx(seconds, abs=0.25)
