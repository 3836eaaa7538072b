"""What somebody would write without the product: one loaded pipeline in a loop.

`python -m benchmarks.plain_loop REQUESTS WEIGHTS VIDEOS THREADS`; 0 threads are torch's default.
Nothing of the product is imported here. Prints the seconds it took once it had loaded.
"""

import json
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from diffusers import WanPipeline  # pyright: ignore[reportPrivateImportUsage]
from diffusers.utils import export_to_video  # pyright: ignore[reportPrivateImportUsage]


def main(requests: Path, weights: Path, videos: Path, threads: int) -> None:
    if threads:
        torch.set_num_threads(threads)
    pipeline: Any = WanPipeline.from_pretrained(weights)
    pipeline.set_progress_bar_config(disable=True)
    loaded = perf_counter()
    for number, request in enumerate(json.loads(requests.read_text())):
        fps, seed = request.pop("fps"), request.pop("seed")
        generator = torch.Generator("cpu").manual_seed(seed)
        frames = pipeline(**request, generator=generator).frames[0]
        export_to_video(frames, str(videos / f"{number}.mp4"), fps=fps)
    print(perf_counter() - loaded)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
