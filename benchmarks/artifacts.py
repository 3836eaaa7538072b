"""Compiled blocks in fresh processes: what the first clip costs with an artifact and without.

`python -m benchmarks.artifacts WAY FOLDER` is one such process; it prints JSON.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks.places import PROJECT
from benchmarks.processes import timed
from benchmarks.results import show_and_keep

WAYS = ("eager", "nothing built", "artifact")
REPEATS = 5


@dataclass(frozen=True, slots=True)
class _Told:
    """Seconds of the processor for getting the code and for the first denoising, then for more."""

    code_cpu_s: float
    first_cpu_s: float
    next_cpu_s: float
    wall_s: float
    size_bytes: int
    largest_difference: float


def run() -> None:
    """The packaged release; the process that finds nothing compiles, the next one loads that."""
    rows: list[dict[str, Any]] = []
    with TemporaryDirectory() as folder:
        for way in WAYS:
            done = timed(
                [sys.executable, "-m", "benchmarks.artifacts", way, folder],
                {"OMP_NUM_THREADS": "1"},
                PROJECT,
            )
            rows.append({"way": way, **json.loads(done.output.splitlines()[-1])})
    show_and_keep("artifacts", {"Compiled blocks of wan-tiny, one thread, fresh processes": rows})


def _one(way: str, folder: Path) -> _Told:
    """Loads one expert of the packaged model, gets the code of its blocks, and does forwards."""
    import torch
    from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

    from wan_pipelines.engines.artifacts.blocks import CompiledBlocks
    from wan_pipelines.engines.artifacts.build import build, cpu_seconds
    from wan_pipelines.engines.fingerprint import read_fingerprint
    from wan_pipelines.engines.releases import read_release

    torch.set_num_threads(1)
    release = read_release(PROJECT / "assets/models/wan-tiny/defs.yaml")
    weights = release.weights_source().ensure(PROJECT)
    expert: Any = WanTransformer3DModel.from_pretrained(weights.path / "transformer")
    clip = _clip(expert, release.max_sequence_length)
    package = folder / "block.pt2"
    with torch.no_grad():
        plain = expert(**clip)[0] if way == "artifact" else None
        started, spent = perf_counter(), cpu_seconds()
        if way == "nothing built":
            built = build(
                release, weights, read_fingerprint("cpu", 1), "cpu", cache=folder / "cache"
            )
            package.write_bytes(built.data)
        if way != "eager":
            blocks = CompiledBlocks({"expert": expert}, {"expert": package.read_bytes()})
            blocks.switch(on=True)
        ready = cpu_seconds()
        drawn = expert(**clip)[0]
        first, wall = cpu_seconds(), perf_counter() - started
        for _ in range(REPEATS):
            expert(**clip)
        last = cpu_seconds()
    difference = float((drawn - plain).abs().max()) if plain is not None else 0.0
    return _Told(
        code_cpu_s=round(ready - spent, 4),
        first_cpu_s=round(first - ready, 4),
        next_cpu_s=round((last - first) / REPEATS, 4),
        wall_s=round(wall, 3),
        size_bytes=package.stat().st_size if way != "eager" else 0,
        largest_difference=difference,
    )


def _clip(expert: Any, text_tokens: int) -> dict[str, Any]:
    """Inputs of a forward at the release's default shape: 192x128, 17 frames."""
    import torch

    generator = torch.Generator().manual_seed(1)
    config = expert.config
    _, height, width = config.patch_size
    return {
        "hidden_states": torch.randn(
            1, config.in_channels, 5, 4 * height, 6 * width, generator=generator
        ),
        "timestep": torch.tensor([500.0]),
        "encoder_hidden_states": torch.randn(1, text_tokens, config.text_dim, generator=generator),
        "return_dict": False,
    }


if __name__ == "__main__":
    print(json.dumps(asdict(_one(sys.argv[1], Path(sys.argv[2])))))
