"""Every tier of a release against `reference`: seconds, prompt fidelity, likeness at equal seeds.

Writes its table between the marks in `docs/tiers.md`, and the same figures beside the release, from
where reports read them: one command brings both up to date.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import yaml

from benchmarks.likeness import Likeness, likeness
from benchmarks.places import PROJECT, RESULTS
from benchmarks.results import show_and_keep
from wan_pipelines.encoding.fidelity import scorer_named
from wan_pipelines.engines.measured import FILE
from wan_pipelines.engines.prepare import load, prepare
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.engines.releases import Release, read_releases
from wan_pipelines.engines.requests import RenderRequest

if TYPE_CHECKING:
    import numpy as np

REFERENCE = "reference"
PAGE = PROJECT / "docs" / "tiers.md"
BEGIN, END = "<!-- measured tiers: begin -->", "<!-- measured tiers: end -->"
KEPT = {
    "cpu_s_a_clip": "processor_seconds",
    "prompt_fidelity": "prompt_fidelity",
    "psnr_db": "psnr_db",
    "ssim": "ssim",
    "vmaf": "vmaf",
}
ABOUT = "# Written by `python -m benchmarks tiers`: what each tier was measured to be on a CPU."
PROMPTS = (
    "a red ball moving left to right on a black background",
    "a blue box rising on a white background",
    "a yellow ball growing on a gray background",
    "a green box moving right to left on a white background",
)


@dataclass(frozen=True, slots=True)
class Clip:
    """What a tier made of one prompt and seed; `seconds` are those of the processor."""

    frames: "np.ndarray"
    seconds: float
    fidelity: float | None


def run(name: str, seeds: int) -> None:
    release = read_releases(PROJECT / "assets")[name]
    prepared = prepare(release, RESULTS.parent / "weights", threads=1)
    clips: dict[str, list[Clip]] = {}
    for tier in _by_engine(release):
        engine = load(prepared, release.sampling(tier).engine)
        engine.render(_request(release, tier, PROMPTS[0], seed=0))
        clips[tier] = list(_clips(engine, tier, seeds))
    rows = [_row(tier, clips[tier], clips[REFERENCE]) for tier in release.tiers]
    show_and_keep("tiers", {f"Tiers of {name} ({len(PROMPTS)} prompts, {seeds} seeds)": rows})
    _write(rows, f"{len(PROMPTS) * seeds} clips a tier.")
    _write_measured(PROJECT / "assets" / "models" / name / FILE, rows, len(PROMPTS) * seeds)


def _by_engine(release: Release) -> list[str]:
    return sorted(release.tiers, key=lambda tier: release.sampling(tier).engine)


def _clips(engine: Engine, tier: str, seeds: int) -> Iterator[Clip]:
    release = engine.release
    scorer = scorer_named(release.scorer) if release.scorer else None
    for prompt, seed in product(PROMPTS, range(1, seeds + 1)):
        started = time.process_time()
        frames = engine.render(_request(release, tier, prompt, seed)).frames
        seconds = time.process_time() - started
        yield Clip(frames, seconds, scorer.score(frames, prompt).overall if scorer else None)


def _request(release: Release, tier: str, prompt: str, seed: int) -> RenderRequest:
    size = release.sizes.offered[0]
    return RenderRequest(
        release=release.name,
        release_identity=release.identity,
        prompt=prompt,
        negative_prompt=release.default_negative_prompt,
        seed=seed,
        width=size.width,
        height=size.height,
        frames=release.frames.default,
        sampling=release.sampling(tier),
    )


def _row(tier: str, clips: list[Clip], reference: list[Clip]) -> dict[str, Any]:
    alike: list[Likeness] = [
        likeness(clip.frames, other.frames) for clip, other in zip(clips, reference, strict=True)
    ]
    seconds = median(clip.seconds for clip in clips)
    scores = [clip.fidelity for clip in clips if clip.fidelity is not None]
    vmafs = [each.vmaf for each in alike if each.vmaf is not None]
    return {
        "tier": tier,
        "cpu_s_a_clip": round(seconds, 2),
        "times_faster": round(median(clip.seconds for clip in reference) / seconds, 1),
        "prompt_fidelity": round(mean(scores), 2) if scores else "",
        "psnr_db": round(mean(each.psnr for each in alike), 1),
        "ssim": round(mean(each.ssim for each in alike), 3),
        "vmaf": round(mean(vmafs), 1) if vmafs else "",
    }


def _write_measured(path: Path, rows: list[dict[str, Any]], clips: int) -> None:
    tiers = {row["tier"]: {KEPT[n]: row[n] for n in KEPT if row[n] != ""} for row in rows}
    text = yaml.safe_dump({"clips": clips, "tiers": tiers}, sort_keys=False)
    path.write_text(f"{ABOUT}\n{text}")


def _write(rows: list[Mapping[str, Any]] | list[dict[str, Any]], note: str) -> None:
    names = list(rows[0])
    table = [
        "| " + " | ".join(name.replace("_", " ") for name in names) + " |",
        "|---" + "|---:" * (len(names) - 1) + "|",
        *("| " + " | ".join(str(row[name]) for name in names) + " |" for row in rows),
    ]
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(before + "\n".join((BEGIN, *table, "", note, END)) + after)
