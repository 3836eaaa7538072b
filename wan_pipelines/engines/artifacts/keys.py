"""What compiled code fits: everything it was made for, and a digest of that.

A package of AOTInductor says little of where it may run (no version of torch, for one), and one
that runs where it does not fit may compute something else without a word. So a package is only
looked for under the key of the process that wants it.
"""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wan_pipelines.engines.artifacts.layout import dimensions, layout_digest, quantisation
from wan_pipelines.engines.fingerprint import Fingerprint

FORMAT = "wan-artifact/1"
"""To be raised when packages are built or called otherwise."""
MIN_TOKENS, MAX_TOKENS = 2, 1 << 17
"""Lengths of a sequence that a package is built for; 1280x720 with 81 frames has 75,600 tokens."""
BATCH = 1
INDUCTOR_CONFIG: Mapping[str, bool] = {
    "aot_inductor.package_constants_in_so": False,
    "aot_inductor.precompile_headers": False,
    "always_keep_tensor_constants": True,
    "joint_graph_constant_folding": False,
}
"""Weights stay outside, by name: one package then serves every block of both experts. Precompiled
headers take longer than they save where little is compiled."""


@dataclass(frozen=True, slots=True)
class ArtifactKey:
    """Names and values, for people and for comparison; equal keys are interchangeable."""

    parts: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, parts: Mapping[str, str]) -> "ArtifactKey":
        return cls(tuple(sorted(parts.items())))

    @property
    def digest(self) -> str:
        """sha256 hex of the parts."""
        return hashlib.sha256(json.dumps(self.parts).encode()).hexdigest()

    def differences(self, built: "ArtifactKey") -> tuple[str, ...]:
        """Where an artifact that was built for another key differs from this one."""
        here, there = dict(self.parts), dict(built.parts)
        return tuple(
            f"{name} ({there.get(name) or 'none'} there, {here.get(name) or 'none'} here)"
            for name in sorted(here.keys() | there.keys())
            if here.get(name) != there.get(name)
        )


def key_of(
    expert: Any, *, text_tokens: int, timestep_per_token: bool, fingerprint: Fingerprint
) -> ArtifactKey:
    """The key of the blocks of a `WanTransformer3DModel` that this process has loaded."""
    import torch

    block = expert.blocks[0]
    return ArtifactKey.of(
        {
            "format": FORMAT,
            **_software(fingerprint),
            **_hardware(fingerprint),
            "inductor": json.dumps({**INDUCTOR_CONFIG, **_inductor_variables()}, sort_keys=True),
            "matmul precision": torch.get_float32_matmul_precision(),
            "dtype": str(expert.dtype),
            "quantisation": quantisation(block),
            "loras": "apart",
            "attention": _attention(block, fingerprint),
            "batch": str(BATCH),
            "tokens": f"{MIN_TOKENS}..{MAX_TOKENS}",
            "text tokens": str(text_tokens),
            "timestep": "per token" if timestep_per_token else "per clip",
            "block": type(block).__qualname__,
            "dimensions": dimensions(expert),
            "layout": layout_digest(block),
        }
    )


def _inductor_variables() -> dict[str, str]:
    """What the environment tells torch's compiler, but where to keep things."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("TORCHINDUCTOR_", "AOT_INDUCTOR_")) and not name.endswith("_DIR")
    }


def _software(fingerprint: Fingerprint) -> dict[str, str]:
    versions = ("torch", "triton", "cuda", "diffusers")
    return {
        **{name: getattr(fingerprint, name) for name in versions},
        "libc": " ".join(platform.libc_ver()),
    }


def _hardware(fingerprint: Fingerprint) -> dict[str, str]:
    return {
        "machine": fingerprint.machine,
        "gpu": fingerprint.gpu,
        "compute capability": fingerprint.compute_capability,
        "cpu isa": fingerprint.cpu_isa,
        "cpu features": cpu_features(),
        "threads": str(fingerprint.threads),
    }


def cpu_features(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Digest of all that the CPU can do: the compiler is told to use what it finds.

    The widest vector extension alone would not do: two CPUs with AVX-512 differ in its parts, and
    the kernel ends a process that uses one which its CPU has not.
    """
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    lines = (line.partition(":") for line in text.splitlines())
    flags = next((v for name, _, v in lines if name.strip() in ("flags", "Features")), "")
    return hashlib.sha256(" ".join(sorted(flags.split())).encode()).hexdigest()[:16]


def _attention(block: Any, fingerprint: Fingerprint) -> str:
    processor = block.attn1.processor
    chosen = getattr(processor, "_attention_backend", None) or fingerprint.attention_backend
    return f"{type(processor).__name__} {chosen}"
