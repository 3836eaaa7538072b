"""The checkpoint inside the package is whole, small and draws what it is told."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wan_pipelines
from wan_pipelines.encoding.fidelity import TinyWorldScorer

FOLDER = Path(wan_pipelines.__file__).parent / "weights" / "checkpoints" / "wan-tiny"
# Combinations that training never saw; the shape is not told apart, and not asked about.
HELD_OUT = (
    "a red ball moving to the right on a black background",
    "Red disc falls over gray",
    "on blue, a green circle is dropping",
    "A CLIP OF THE BLUE BALL SINKING, WHITE BACKGROUND",
    "a red box is rising against gray",
    "blue square moves up, white backdrop",
)
SEEN = ("colour", "background", "motion")


@pytest.fixture(scope="module")
def pipeline() -> Any:
    import torch
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline

    loaded = WanPipeline.from_pretrained(FOLDER, dtype=torch.float32)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def render(pipeline: Any, prompt: str, seed: int) -> np.ndarray:
    import torch

    video = pipeline(
        prompt,
        negative_prompt="",
        height=128,
        width=192,
        num_frames=17,
        num_inference_steps=12,
        guidance_scale=2.0,
        guidance_scale_2=2.0,
        max_sequence_length=32,
        generator=torch.Generator().manual_seed(seed),
        output_type="np",
    )[0][0]
    return np.rint(video * 255).astype(np.uint8)


def test_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    listed = {file["path"]: (file["size"], file["sha256"]) for file in manifest["files"]}
    found = {
        file.relative_to(FOLDER).as_posix(): (
            file.stat().st_size,
            hashlib.sha256(file.read_bytes()).hexdigest(),
        )
        for file in FOLDER.rglob("*")
        if file.is_file() and file.name != "manifest.json"
    }
    assert found == listed
    assert list(listed) == sorted(listed)
    digests = "\n".join(sorted(digest for _, digest in listed.values()))
    assert manifest["revision"] == hashlib.sha256(digests.encode()).hexdigest()[:12]


def test_is_small_and_holds_no_code() -> None:
    files = [file for file in FOLDER.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 8_000_000
    assert {file.suffix for file in files} <= {".safetensors", ".json", ".txt", ".md"}


def test_draws_combinations_it_never_saw(pipeline: Any) -> None:
    scores = [TinyWorldScorer().score(render(pipeline, text, seed=1), text) for text in HELD_OUT]
    right = [getattr(score, part) for score in scores for part in SEEN]
    assert sum(right) >= 0.9 * len(right), [score.note for score in scores]


def test_seeds_differ_visibly_and_repeat_exactly(pipeline: Any) -> None:
    first, again, other = (render(pipeline, HELD_OUT[1], seed) for seed in (1, 1, 2))
    assert (first == again).all()
    clearly_other = np.abs(first.astype(int) - other).max(-1) > 32
    assert clearly_other.mean() > 0.01


def test_unknown_words_do_no_harm(pipeline: Any) -> None:
    prompt = "Look! A fabulous red ball moves to the right, black background 🎈"
    score = TinyWorldScorer().score(render(pipeline, prompt, seed=1), prompt)
    assert all(getattr(score, part) for part in SEEN), score.note
