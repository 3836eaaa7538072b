"""A process of its own that goes on from checkpoints.

`python -m tests.engines.resumer WEIGHTS CHECKPOINTS` renders once for each file `SOLVER-STEP`, and
prints what became of it, a JSON object per line.
"""

import hashlib
import json
import sys
from pathlib import Path

from tests.engines.memory_keeper import MemoryKeeper
from tests.support.releases import folder_release, request_for
from wan_pipelines.engines.reference import ReferenceEngine, load_reference_engine
from wan_pipelines.engines.requests import RenderRequest, Sampling
from wan_pipelines.weights.sources import FolderSource


def engine_of(weights: Path) -> ReferenceEngine:
    release = folder_release(weights, dtype="float32")
    return load_reference_engine(release, FolderSource(weights).ensure(weights), threads=1)


def request_of(engine: ReferenceEngine, solver: str) -> RenderRequest:
    sampling = Sampling(6, 2.0, 1.5, 3.0, solver, 32)
    return request_for(engine.release, "a red ball rising", sampling=sampling)


def rendered(engine: ReferenceEngine, solver: str, keeper: MemoryKeeper) -> str:
    """sha256 of the frames."""
    footage = engine.render(request_of(engine, solver), keeper=keeper)
    return hashlib.sha256(footage.frames.tobytes()).hexdigest()


def main(weights: Path, checkpoints: Path) -> None:
    engine = engine_of(weights)
    for path in sorted(checkpoints.iterdir()):
        keeper = MemoryKeeper(path.read_bytes())
        frames = rendered(engine, path.name.partition("-")[0], keeper)
        told = {"name": path.name, "frames": frames, "refusal": keeper.refusal}
        sys.stdout.write(json.dumps({**told, "resumed_at": keeper.resumed_at}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
