"""Options that a pipeline is loaded with: precision, GPUs that share it, where it rests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from wan_pipelines.engines.fingerprint import Device
from wan_pipelines.engines.options.tier_options import (
    ContextParallel,
    EngineOptions,
    GroupOffload,
    Loading,
    Quantisation,
)
from wan_pipelines.errors import EngineError

TORCHAO: Mapping[Quantisation, str] = {
    "int8_weight_only": "Int8WeightOnlyConfig",
    "int8_dynamic": "Int8DynamicActivationInt8WeightConfig",
    "float8_weight_only": "Float8WeightOnlyConfig",
    "float8_dynamic": "Float8DynamicActivationFloat8WeightConfig",
}
"""The classes of `torchao.quantization`."""


def quantisation_config(quantisation: Quantisation | None, experts: list[str]) -> Any:
    """For `from_pretrained`; None for none, EngineError without torchao."""
    if quantisation is None:
        return None
    from diffusers import (
        PipelineQuantizationConfig,  # pyright: ignore[reportPrivateImportUsage]
        TorchAoConfig,  # pyright: ignore[reportPrivateImportUsage]
    )

    try:
        quantization = import_module("torchao.quantization")
    except ImportError as error:
        raise EngineError(
            f"Quantisation {quantisation} needs torchao, which is not installed. "
            "Install wan-pipelines[quantisation]."
        ) from error
    made = getattr(quantization, TORCHAO[quantisation])()
    return PipelineQuantizationConfig(
        quant_mapping={expert: TorchAoConfig(made) for expert in experts}
    )


def convert(pipeline: Any, options: EngineOptions) -> None:
    """Applied to the experts when their LoRAs are in, before they are placed."""
    for expert in filter(None, (pipeline.transformer, pipeline.transformer_2)):
        if options.layerwise_casting:
            _cast_layers(expert, options.layerwise_casting)
        if options.context_parallel:
            _share(expert, options.context_parallel)


def place(pipeline: Any, loading: Loading, device: Device) -> None:
    """Onto the device; on a CPU there is nowhere to offload to."""
    if device == "cuda" and loading.offload == "model":
        pipeline.enable_model_cpu_offload()
    elif device == "cuda" and loading.offload == "group":
        offload_groups(pipeline, loading.groups, device)
    else:
        pipeline.to(device)


def offload_groups(pipeline: Any, groups: GroupOffload, device: str) -> None:
    """All models but the VAE, which is small and decodes in one go."""
    import torch

    blocks = groups.blocks_per_group if groups.type == "block_level" else None
    pipeline.enable_group_offload(
        onload_device=torch.device(device),
        offload_device=torch.device("cpu"),
        offload_type=groups.type,
        num_blocks_per_group=blocks,
        use_stream=groups.use_stream,
        exclude_modules="vae",
    )


def _cast_layers(expert: Any, storage: str) -> None:
    import torch

    expert.enable_layerwise_casting(
        storage_dtype=getattr(torch, storage), compute_dtype=expert.dtype
    )


def _share(expert: Any, parallel: ContextParallel) -> None:
    from diffusers import ContextParallelConfig  # pyright: ignore[reportPrivateImportUsage]
    from torch import distributed

    ready = distributed.is_available() and distributed.is_initialized()
    processes = distributed.get_world_size() if ready else 1
    if processes != parallel.ulysses_degree:
        raise EngineError(
            f"The tier spreads a shot over {parallel.ulysses_degree} GPUs, and this process is one "
            f"of {processes}. Start one process per GPU in a torch.distributed group, or choose a "
            "tier for one GPU."
        )
    with _counted():
        expert.enable_parallelism(config=ContextParallelConfig(**parallel.model_dump()))


@contextmanager
def _counted() -> Iterator[None]:
    """diffusers takes the rank modulo the number of accelerators, of which a CPU has none."""
    import torch

    counted = torch.accelerator.device_count
    torch.accelerator.device_count = lambda: counted() or 1
    try:
        yield
    finally:
        torch.accelerator.device_count = counted
