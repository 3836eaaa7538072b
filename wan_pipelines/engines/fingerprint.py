"""What a machine is made of, as far as it decides pixels or whether a release runs at all."""

import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import metadata, util
from pathlib import Path
from typing import Any, Literal

from wan_pipelines.units import GIB

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
    compute_capability: str
    attention_backend: str
    cpu_isa: str
    threads: int
    machine: str

    @property
    def digest(self) -> str:
        """sha256 hex; equal digests may be expected to give equal pixels."""
        return _digest_of(self)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@lru_cache(maxsize=8)
def _digest_of(fingerprint: Fingerprint) -> str:
    """Every take is asked for it, and a process has one."""
    return hashlib.sha256(json.dumps(asdict(fingerprint), sort_keys=True).encode()).hexdigest()


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
        compute_capability=gpu.compute_capability,
        attention_backend=os.environ.get("DIFFUSERS_ATTN_BACKEND", "native"),
        cpu_isa=_cpu_isa(),
        threads=threads or DEFAULT_THREADS,
        machine=platform.machine(),
    )


@dataclass(frozen=True, slots=True)
class _Gpu:
    name: str = ""
    memory_gib: float = 0.0
    compute_capability: str = ""
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
        memory_gib=round(properties.total_memory / GIB, 1),
        compute_capability=f"{properties.major}.{properties.minor}",
        cuda=torch.version.cuda or "",
        driver=_driver(),
        cudnn=cudnn_version(torch.backends.cudnn.version() or 0),
        nccl=".".join(str(part) for part in nccl.version()),
    )


def cudnn_version(number: int) -> str:
    """`91002` is 9.10.2; before version 9, `8902` was 8.9.2 (CUDNN_VERSION in cudnn_version.h)."""
    if not number:
        return ""
    major, rest = divmod(number, 10_000 if number >= 90_000 else 1_000)
    return ".".join(map(str, (major, *divmod(rest, 100))))


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
