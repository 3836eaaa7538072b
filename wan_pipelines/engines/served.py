"""A release whose weights are a server's: what is pinned of it, since no file can be."""

import platform
from typing import Literal

from pydantic import Field

from wan_pipelines.engines.fingerprint import Fingerprint
from wan_pipelines.records import Record
from wan_pipelines.weights.served import ServedSource

ServerKind = Literal["wan", "vllm-omni", "sglang"]


class ServedWeights(Record):
    """Weights that a server holds, which renders with them."""

    server: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]*$",
        description="One of the `servers` of the environment; another that draws the same may take "
        "its place.",
        examples=["gpu-farm"],
    )
    kind: ServerKind = Field(
        description="What the server is: `wan` is `wan engine serve`.", examples=["vllm-omni"]
    )
    model: str = Field(
        min_length=1,
        max_length=200,
        description="What the server calls the model.",
        examples=["Wan-AI/Wan2.2-T2V-A14B-Diffusers"],
    )
    version: str = Field(
        min_length=1,
        max_length=200,
        description="What the server runs, as far as it decides pixels: renders of another version "
        "are other videos. For `wan` the identity of its release, which is compared; for others "
        "what you know of it.",
        examples=["vllm-omni 0.14.0, torch 2.9.1, revision 5be7df9"],
    )
    parameters: dict[str, str | int | float | bool] = Field(
        default={},
        description="Further fields of each request.",
        examples=[{"tier": "draft"}],
    )

    @property
    def pin(self) -> dict[str, object]:
        """What decides pixels: everything but which of the environment's servers it is."""
        return self.model_dump(exclude={"server"})

    @property
    def engine_name(self) -> str:
        """How takes and manifests name what rendered."""
        return f"remote {self.kind} {self.version}"

    def source(self, dtype: str) -> ServedSource:
        return ServedSource(self.model, self.pin, dtype)

    def fingerprint(self) -> Fingerprint:
        """Of the server, as far as it is known here: the worker's own machine decides nothing."""
        return Fingerprint(
            python=platform.python_version(),
            torch="",
            diffusers="",
            transformers="",
            cuda="",
            driver="",
            cudnn="",
            nccl="",
            triton="",
            gpu=self.engine_name,
            gpu_memory_gib=0.0,
            compute_capability="",
            attention_backend="",
            cpu_isa="",
            threads=0,
            machine="",
        )
