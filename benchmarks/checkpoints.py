"""What it costs to keep a render's state, and whether a loop of our own costs anything."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import torch

from benchmarks.results import Row, show_and_keep
from wan_pipelines.engines.checkpoints import conditions, pack, restore
from wan_pipelines.engines.denoising import Denoising, TextEmbeddings
from wan_pipelines.engines.fingerprint import read_fingerprint
from wan_pipelines.engines.requests import RenderRequest, Sampling
from wan_pipelines.engines.schedulers import make_scheduler
from wan_pipelines.places import project_root
from wan_pipelines.rendering.checkpoints import StoredCheckpoints
from wan_pipelines.storage import FolderStore
from wan_pipelines.weights.sources import PackagedSource

SAMPLING = Sampling(8, 2.0, 1.5, 5.0, "unipc", 64)
DEMO = (192, 128, 17)
LATENTS_OF_720P = (1, 16, 21, 90, 160)
"""81 frames of 1280x720, as Wan2.2-T2V-A14B has them."""


def run(rounds: int = 7) -> None:
    """Prints and keeps both tables; each figure is the least of `rounds`."""
    torch.set_num_threads(1)
    pipeline = _tiny()
    demo = _request(DEMO)
    with torch.no_grad():
        shapes = {"demo": tuple(_begin(pipeline, demo).latents.shape), "720p": LATENTS_OF_720P}
        tables = {
            "Keeping and finding the state after a step (processor milliseconds)": [
                _cost_of_keeping(pipeline, name, shape, rounds) for name, shape in shapes.items()
            ],
            "Denoising a demo shot (processor milliseconds)": [
                _loop_and_call(pipeline, demo, rounds)
            ],
        }
    show_and_keep("checkpoints", tables)


def _tiny() -> Any:
    from diffusers import WanPipeline  # pyright: ignore[reportPrivateImportUsage]

    folder = PackagedSource("wan-tiny").ensure(project_root())
    pipeline: Any = WanPipeline.from_pretrained(folder.path, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _request(shape: tuple[int, int, int]) -> RenderRequest:
    width, height, frames = shape
    return RenderRequest("wan-tiny", "0" * 64, "a", "", 7, width, height, frames, SAMPLING)


def _cost_of_keeping(pipeline: Any, name: str, shape: tuple[int, ...], rounds: int) -> Row:
    """Of UniPC's state when its history is full; what the experts say does not matter."""
    request = _request(DEMO)
    run, again = (_begin(pipeline, request) for _ in range(2))
    run.latents, again.latents = torch.randn(shape), torch.randn(shape)
    for _ in range(2):
        timestep = run.scheduler.timesteps[run.step]
        flow = torch.randn(shape)
        run.latents = run.scheduler.step(flow, timestep, run.latents, return_dict=False)[0]
        run.step += 1
    known = conditions(
        request, run, engine="reference", weights="0" * 64, fingerprint=read_fingerprint()
    )
    data = pack(run, known)
    with TemporaryDirectory(dir=project_root()) as folder:
        store = StoredCheckpoints(FolderStore(Path(folder), durable=False), "checkpoints/")
        return {
            "latents": f"{name} {'x'.join(map(str, shape[1:]))}",
            "bytes": len(data),
            "pack": _least(lambda: pack(run, known), rounds),
            "write": _least(lambda: store.save(request.key, data), rounds),
            "read": _least(lambda: store.load(request.key, len(data)), rounds),
            "restore": _least(lambda: restore(again, data, known), rounds),
        }


def _begin(pipeline: Any, request: RenderRequest) -> Denoising:
    width = pipeline.transformer.config.text_dim
    text = torch.zeros(1, SAMPLING.max_sequence_length, width)
    scheduler = make_scheduler(dict(pipeline.scheduler.config), SAMPLING)
    return Denoising.begin(pipeline, request, TextEmbeddings(text, text), scheduler)


def _loop_and_call(pipeline: Any, request: RenderRequest, rounds: int) -> Row:
    """The same shot by turns with our loop and with the pipeline's own call."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        ours.append(_processor_ms(lambda: _ours(pipeline, request)))
        theirs.append(_processor_ms(lambda: _theirs(pipeline, request)))
    return {
        "shape": "x".join(map(str, DEMO)),
        "steps": SAMPLING.steps,
        "our_loop": min(ours),
        "pipeline_call": min(theirs),
        "ratio": min(ours) / min(theirs),
    }


def _ours(pipeline: Any, request: RenderRequest) -> None:
    run = _begin(pipeline, request)
    while not run.is_done:
        run.advance()


def _theirs(pipeline: Any, request: RenderRequest) -> None:
    text = torch.zeros(1, SAMPLING.max_sequence_length, pipeline.transformer.config.text_dim)
    kept = pipeline.scheduler
    pipeline.scheduler = make_scheduler(dict(kept.config), SAMPLING)
    pipeline(
        prompt_embeds=text,
        negative_prompt_embeds=text,
        width=request.width,
        height=request.height,
        num_frames=request.frames,
        num_inference_steps=SAMPLING.steps,
        guidance_scale=SAMPLING.guidance,
        guidance_scale_2=SAMPLING.guidance_2,
        generator=torch.Generator("cpu").manual_seed(request.seed),
        output_type="latent",
    )
    pipeline.scheduler = kept


def _processor_ms(work: Callable[[], object]) -> float:
    started = process_time()
    work()
    return 1000 * (process_time() - started)


def _least(work: Callable[[], object], rounds: int) -> float:
    return min(_processor_ms(work) for _ in range(rounds))
