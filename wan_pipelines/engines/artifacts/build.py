"""Compiling the repeated block of a release's experts with AOTInductor.

Of each expert one block is loaded: its weights stay outside of the package, so that one package
serves every block, and both experts where their blocks are alike.
"""

import hashlib
import os
import resource
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from wan_pipelines import __version__
from wan_pipelines.engines.artifacts.keys import (
    INDUCTOR_CONFIG,
    MAX_TOKENS,
    MIN_TOKENS,
    ArtifactKey,
    key_of,
)
from wan_pipelines.engines.artifacts.shelf import Built, Provenance
from wan_pipelines.engines.fingerprint import Device, Fingerprint
from wan_pipelines.engines.releases import Release
from wan_pipelines.errors import EngineError
from wan_pipelines.weights.sources import WeightsFolder

EXPERTS = ("transformer", "transformer_2")
CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
LATENT_FRAMES = 2
PATCHES = (3, 5)


def compiler() -> str | None:
    """Path of the C++ compiler that torch would call; None where there is none."""
    return shutil.which(os.environ.get("CXX") or "g++")


def keys_of_release(
    release: Release, weights: WeightsFolder, fingerprint: Fingerprint, device: Device
) -> dict[str, ArtifactKey]:
    """The key of each expert's blocks, by expert, as a worker on this machine would ask for it."""
    return {
        expert: _key(_one_block(release, weights, expert, device), release, fingerprint)
        for expert in _experts(weights)
    }


def build(
    release: Release,
    weights: WeightsFolder,
    fingerprint: Fingerprint,
    device: Device,
    *,
    expert: str = EXPERTS[0],
    cache: Path,
) -> Built:
    """Compiles the blocks of one expert for this process; takes a minute and more of one core.

    `cache` is a folder that later builds start faster with. EngineError without a compiler, and
    when the blocks do not compile.
    """
    path = compiler()
    if path is None:
        raise EngineError(
            "Transformer blocks cannot be compiled here: there is no C++ compiler. Install g++ "
            "(or let CXX name one), or build the artifact on a machine of the same kind."
        )
    import torch

    torch.set_num_threads(fingerprint.threads)  # the code is for so many
    started, spent = perf_counter(), cpu_seconds()
    model = _one_block(release, weights, expert, device)
    data = _compiled(model, release, cache)
    return Built(
        key=_key(model, release, fingerprint),
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        provenance=Provenance(
            release=release.name,
            release_identity=release.identity,
            weights=weights.manifest.digest,
            fingerprint=fingerprint.digest,
            compiler=_version(path),
            code_version=__version__,
            built_at=datetime.now(UTC),
            wall_seconds=round(perf_counter() - started, 3),
            cpu_seconds=round(cpu_seconds() - spent, 3),
        ),
    )


def _experts(weights: WeightsFolder) -> tuple[str, ...]:
    return tuple(name for name in EXPERTS if (weights.path / name).is_dir())


def _key(model: Any, release: Release, fingerprint: Fingerprint) -> ArtifactKey:
    return key_of(
        model,
        text_tokens=release.max_sequence_length,
        timestep_per_token=False,
        fingerprint=fingerprint,
    )


def _one_block(release: Release, weights: WeightsFolder, expert: str, device: Device) -> Any:
    """An expert cut down to its first block, in the types that the whole one is loaded in."""
    import torch
    from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
    from diffusers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()  # or it lists all weights of the other blocks
    try:
        model: Any = WanTransformer3DModel.from_pretrained(
            weights.path / expert,
            num_layers=1,
            dtype=getattr(torch, release.dtype),
            use_safetensors=True,
            local_files_only=True,
        )
    finally:
        logging.set_verbosity(level)
    return model.to(device).eval()


def _compiled(model: Any, release: Release, cache: Path) -> bytes:
    """The bytes of a package for the one block of `model`."""
    import torch
    from torch._inductor import aoti_compile_and_package

    block = model.blocks[0]
    tokens = torch.export.Dim("tokens", min=MIN_TOKENS, max=MAX_TOKENS)
    sequence = {1: tokens}
    with (
        torch.no_grad(),
        TemporaryDirectory(prefix="wan-artifact-") as folder,
        _inductor_cache(cache),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # torch warns of its own ways while it compiles
        try:
            program = torch.export.export(
                block,
                _arguments(model, release),
                dynamic_shapes=(sequence, None, None, (sequence, sequence)),
            )
            package = aoti_compile_and_package(
                program,
                package_path=str(Path(folder) / "block.pt2"),
                inductor_configs=dict(INDUCTOR_CONFIG),
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineError(
                f"The transformer blocks of {release.name} do not compile: {error}. Take "
                "`compiled` out of its tiers to render them eagerly."
            ) from error
        return Path(str(package)).read_bytes()


def _arguments(model: Any, release: Release) -> tuple[Any, ...]:
    """What the model calls its block with, for a small clip: types and shapes come from it."""
    import torch

    seen: list[tuple[Any, ...]] = []
    hook = model.blocks[0].register_forward_pre_hook(lambda _module, given: seen.append(given))
    _, patch_height, patch_width = model.config.patch_size
    size = (PATCHES[0] * patch_height, PATCHES[1] * patch_width)
    like: dict[str, Any] = {"dtype": model.dtype, "device": model.device}
    try:
        model(
            hidden_states=torch.zeros(1, model.config.in_channels, LATENT_FRAMES, *size, **like),
            timestep=torch.zeros(1, device=model.device),
            encoder_hidden_states=torch.zeros(
                1, release.max_sequence_length, model.config.text_dim, **like
            ),
            return_dict=False,
        )
    finally:
        hook.remove()
    return seen[0]


@contextmanager
def _inductor_cache(folder: Path) -> Iterator[None]:
    """Lets torch keep there what it finds out about the machine: half a minute on a new one."""
    folder.mkdir(parents=True, exist_ok=True)
    before = os.environ.get(CACHE_VARIABLE)
    os.environ[CACHE_VARIABLE] = str(folder)
    try:
        yield
    finally:
        del os.environ[CACHE_VARIABLE]
        os.environ.update({CACHE_VARIABLE: before} if before else {})


def _version(path: str) -> str:
    shown = subprocess.run([path, "--version"], check=False, capture_output=True, text=True)
    return shown.stdout.partition("\n")[0]


def cpu_seconds() -> float:
    """User and system seconds of this process and of those that it started and that ended."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in spent)
