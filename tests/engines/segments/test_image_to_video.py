"""Segments that an image-to-video model continues: diffusers' own classes, with random weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.memory_keeper import MemoryKeeper
from tests.support.releases import folder_release, request_for
from tests.support.tiny_pipeline import IMAGE_BOUNDARY, tiny_folder, write_tiny_image_pipeline
from wan_pipelines.engines.denoising import TextEmbeddings
from wan_pipelines.engines.reference import ReferenceEngine, load_reference_engine
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.engines.schedulers import make_scheduler
from wan_pipelines.engines.segments.continuing import from_image
from wan_pipelines.engines.segments.declared import SeamLimits
from wan_pipelines.errors import EngineError
from wan_pipelines.weights.sources import FolderSource

__all__ = ["tiny_folder"]

FRAMES = 13
ANY_SEAM = SeamLimits.model_construct(psnr_db=0.0, motion=1e9, attempts=1)
"""Random weights continue nothing."""


@pytest.fixture(scope="module")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_image_pipeline(tmp_path_factory.mktemp("image") / "pipeline")


def release_of(folder: Path, image_folder: Path, **changes: Any) -> Release:
    """Draws 9 frames at once; another model draws 8 more from the last of them, less guided."""
    image = {
        "source": {"folder": str(image_folder)},
        "boundary_ratio": IMAGE_BOUNDARY,
        "guidance": 1.5,
        "flow_shift": 5.0,
        **changes,
    }
    declared = folder_release(
        folder,
        dtype="float32",
        frames={"min": 5, "max": 9, "default": 9},
        segments={"frames": 9, "overlap": 1, "max": 25, "image_to_video": image},
    )
    assert declared.segments
    segments = declared.segments.model_copy(update={"seam": ANY_SEAM})
    return declared.model_copy(update={"segments": segments})


@pytest.fixture(scope="module")
def release(tiny_folder: Path, image_folder: Path) -> Release:
    return release_of(tiny_folder, image_folder)


def engine_of(release: Release, folder: Path, image_folder: Path) -> ReferenceEngine:
    weights, continuing = (FolderSource(each).ensure(each) for each in (folder, image_folder))
    return load_reference_engine(release, weights, threads=1, continuing=lambda: continuing)


@pytest.fixture(scope="module")
def engine(release: Release, tiny_folder: Path, image_folder: Path) -> ReferenceEngine:
    return engine_of(release, tiny_folder, image_folder)


def request_of(release: Release, frames: int = FRAMES) -> RenderRequest:
    request = request_for(release, "a red ball", frames=frames)
    sampling = replace(request.sampling, steps=3)
    return replace(request, sampling=sampling, segments=release.segments_text(frames))


def test_same_latents_as_the_image_to_video_pipeline(image_folder: Path) -> None:
    import torch
    from diffusers import WanImageToVideoPipeline  # pyright: ignore[reportPrivateImportUsage]
    from PIL import Image

    pipeline: Any = WanImageToVideoPipeline.from_pretrained(image_folder)
    pipeline.set_progress_bar_config(disable=True)
    tail = np.random.default_rng(3).integers(0, 256, (1, 64, 64, 3), np.uint8)
    request = request_for(folder_release(image_folder), "a red ball", frames=9)
    sampling = request.sampling
    scheduler = make_scheduler(dict(pipeline.scheduler.config), sampling)
    with torch.no_grad():
        texts = pipeline.encode_prompt("a red ball", "", max_sequence_length=32)
        run = from_image(pipeline, request, TextEmbeddings(*texts), scheduler, tail)
        while not run.is_done:
            run.advance()
    pipeline.scheduler = make_scheduler(dict(pipeline.scheduler.config), sampling)
    expected = pipeline(
        image=Image.fromarray(tail[0]),
        prompt="a red ball",
        negative_prompt="",
        height=64,
        width=64,
        num_frames=9,
        num_inference_steps=sampling.steps,
        guidance_scale=sampling.guidance,
        guidance_scale_2=sampling.guidance_2,
        max_sequence_length=32,
        generator=torch.Generator("cpu").manual_seed(request.seed),
        output_type="latent",
    ).frames
    assert torch.equal(run.latents, expected)


def test_another_model_draws_what_follows_the_first_segment(
    engine: ReferenceEngine, release: Release
) -> None:
    footage = engine.render(request_of(release))
    assert footage.frames.shape == (FRAMES, 64, 64, 3)
    assert footage.steps == 6
    assert type(engine._pipeline).__name__ == "WanImageToVideoPipeline"
    assert engine._pipeline.text_encoder is None
    first = engine.render(request_of(release, frames=9))
    assert type(engine._pipeline).__name__ == "WanPipeline", "there is never memory for both"
    assert np.array_equal(footage.frames[:9], first.frames)
    assert not np.array_equal(footage.frames[9:13], first.frames[1:5])


def test_the_video_goes_on_from_a_segment_of_the_other_model(
    engine: ReferenceEngine, release: Release, tiny_folder: Path, image_folder: Path
) -> None:
    keeper = MemoryKeeper()
    whole = engine.render(request_of(release), keeper=keeper)
    elsewhere = engine_of(release, tiny_folder, image_folder)
    again = MemoryKeeper(keeper.offered[4])
    resumed = elsewhere.render(request_of(release), keeper=again)
    assert (again.refusal, again.resumed_at, resumed.steps) == ("", 4, 2)
    assert np.array_equal(resumed.frames, whole.frames)


def test_what_is_asked_of_each_model(release: Release) -> None:
    first, second = release.pieces(request_of(release))
    assert (first.frames, first.sampling.guidance, first.sampling.flow_shift) == (9, 2.0, 3.0)
    assert (second.frames, second.sampling.guidance, second.sampling.flow_shift) == (5, 1.5, 5.0)
    assert second.sampling.guidance_2 == first.sampling.guidance_2


def test_the_other_model_is_part_of_the_key(
    release: Release, tiny_folder: Path, image_folder: Path
) -> None:
    other = release_of(tiny_folder, image_folder, flow_shift=4.0)
    assert request_of(release).key != request_of(other).key
    assert request_of(release, frames=9).key == request_of(other, frames=9).key


def test_a_model_of_another_boundary_is_not_used(tiny_folder: Path, image_folder: Path) -> None:
    wrong = release_of(tiny_folder, image_folder, boundary_ratio=0.875)
    with pytest.raises(EngineError, match=r"boundary_ratio is 0.875 .* and 0.9 in the weights"):
        engine_of(wrong, tiny_folder, image_folder).render(request_of(wrong))
