"""What a machine is made of, as far as it decides pixels or whether a release runs at all."""

import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any, Literal, Self

Device = Literal["cpu", "cuda"]
DEFAULT_THREADS = 1


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Versions and hardware of one process; what does not apply is an empty string or zero."""

    python: str
    torch: str
    diffusers: str
    transformers: str
    cuda: str
    driver: str
    cudnn: str
    nccl: str
    triton: str
    gpu: str
    gpu_memory_gib: float
    attention_backend: str
    cpu_isa: str
    threads: int
    machine: str

    @property
    def digest(self) -> str:
        """sha256 hex; equal digests may be expected to give equal pixels."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**data)


def read_fingerprint(device: Device = "cpu", threads: int | None = None) -> Fingerprint:
    """This machine, seen by a process that computes on `device` with `threads` CPU threads.

    On a CPU nothing heavy is imported: versions come from the installed packages. One thread is the
    default: pixels then do not depend on the number of cores, and workers do not fight for them.
    """
    gpu = _read_gpu() if device == "cuda" else _Gpu()
    return Fingerprint(
        python=platform.python_version(),
        torch=_version("torch"),
        diffusers=_version("diffusers"),
        transformers=_version("transformers"),
        cuda=gpu.cuda,
        driver=gpu.driver,
        cudnn=gpu.cudnn,
        nccl=gpu.nccl,
        triton=_version("triton"),
        gpu=gpu.name,
        gpu_memory_gib=gpu.memory_gib,
        attention_backend=os.environ.get("DIFFUSERS_ATTN_BACKEND", "native"),
        cpu_isa=_cpu_isa(),
        threads=threads or DEFAULT_THREADS,
        machine=platform.machine(),
    )


@dataclass(frozen=True, slots=True)
class _Gpu:
    name: str = ""
    memory_gib: float = 0.0
    cuda: str = ""
    driver: str = ""
    cudnn: str = ""
    nccl: str = ""


def _read_gpu() -> _Gpu:
    import torch
    from torch.cuda import nccl

    if not torch.cuda.is_available():
        return _Gpu(cuda=torch.version.cuda or "")
    properties = torch.cuda.get_device_properties(0)
    return _Gpu(
        name=properties.name,
        memory_gib=round(properties.total_memory / 1024**3, 1),
        cuda=torch.version.cuda or "",
        driver=_driver(),
        cudnn=str(torch.backends.cudnn.version() or ""),
        nccl=".".join(str(part) for part in nccl.version()),
    )


def _driver() -> str:
    path = Path("/sys/module/nvidia/version")
    return path.read_text().strip() if path.exists() else ""


def _version(package: str) -> str:
    return metadata.version(package) if util.find_spec(package) else ""


def _cpu_isa() -> str:
    """Widest vector extension of the CPU: kernels, and so the last bits of floats, follow it."""
    path = Path("/proc/cpuinfo")
    flags = set(path.read_text().split()) if path.exists() else set[str]()
    for isa, flag in (("avx512", "avx512f"), ("avx2", "avx2"), ("neon", "asimd")):
        if flag in flags:
            return isa
    return platform.processor() or "generic"
