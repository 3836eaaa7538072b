"""What a release needs from the machine, compared with what the machine is."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version
from pydantic import AfterValidator, Field

from wan_pipelines.engines.fingerprint import Fingerprint
from wan_pipelines.errors import FingerprintMismatch
from wan_pipelines.records import Record


def _is_range(text: str) -> str:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError(f"{text!r} is no version range such as '>=12.1' or '>=2.8,<3'") from None
    return text


VersionRange = Annotated[str, AfterValidator(_is_range)]

_VERSIONS = (
    *("python", "torch", "diffusers", "transformers", "triton"),
    *("cuda", "cudnn", "nccl", "driver", "compute_capability"),
)
_BUILD_OF_TORCH = "Use a build of torch that brings it."
_REMEDIES = {
    "cuda": "Run this release on a GPU class with that CUDA, or use a build of torch for it.",
    "cudnn": _BUILD_OF_TORCH,
    "nccl": _BUILD_OF_TORCH,
    "driver": "Update the GPU driver, or choose another GPU class.",
    "compute_capability": "Choose a GPU class of another generation.",
    "gpu_memory_gib": "Choose a GPU class with more memory.",
}


class Needs(Record):
    """Version ranges and sizes; what is left out is not asked for."""

    python: VersionRange | None = Field(default=None, description="Python.", examples=[">=3.11"])
    torch: VersionRange | None = Field(default=None, description="PyTorch.", examples=[">=2.8"])
    diffusers: VersionRange | None = Field(
        default=None, description="diffusers.", examples=[">=0.42.1"]
    )
    transformers: VersionRange | None = Field(
        default=None, description="transformers.", examples=[">=5"]
    )
    triton: VersionRange | None = Field(default=None, description="Triton.", examples=[">=3.4"])
    cuda: VersionRange | None = Field(
        default=None, description="CUDA runtime of the PyTorch build.", examples=[">=12.1"]
    )
    cudnn: VersionRange | None = Field(default=None, description="cuDNN.", examples=[">=9.1"])
    nccl: VersionRange | None = Field(default=None, description="NCCL.", examples=[">=2.27"])
    driver: VersionRange | None = Field(
        default=None, description="NVIDIA driver.", examples=[">=535"]
    )
    compute_capability: VersionRange | None = Field(
        default=None, description="Compute capability of the GPU.", examples=[">=8.9"]
    )
    attention_backend: str | None = Field(
        default=None,
        description="What attention is computed by where a tier does not say: "
        "the worker's DIFFUSERS_ATTN_BACKEND.",
        examples=["flash"],
    )
    gpu_memory_gib: float | None = Field(
        default=None, gt=0, description="Memory of one GPU in GiB, at least.", examples=[79]
    )


def check_needs(needs: Needs, fingerprint: Fingerprint) -> None:
    """FingerprintMismatch that names every difference and its remedy; before anything is loaded."""
    differences = tuple(_differences(needs, fingerprint))
    if differences:
        lines = (f"- {each.told}. {each.remedy}" for each in differences)
        raise FingerprintMismatch(
            "This machine is not what the release needs:\n" + "\n".join(lines)
        )


def unmet_needs(needs: Needs, fingerprint: Fingerprint) -> tuple[str, ...]:
    """What the machine is not, without remedies: "cuda: >=12.1 is needed, none is here"."""
    return tuple(each.told for each in _differences(needs, fingerprint))


class _Difference(NamedTuple):
    told: str
    remedy: str


def _differences(needs: Needs, fingerprint: Fingerprint) -> Iterator[_Difference]:
    for name in _VERSIONS:
        wanted: str | None = getattr(needs, name)
        present: str = getattr(fingerprint, name)
        if wanted and not _satisfies(present, wanted):
            told = f"{name}: {wanted} is needed, {present or 'none'} is here"
            yield _Difference(told, _REMEDIES.get(name, f"Install {name} {wanted}."))
    backend = needs.attention_backend
    if backend and backend != fingerprint.attention_backend:
        told = (
            f"attention_backend: {backend} is needed, "
            f"{fingerprint.attention_backend or 'none'} is here"
        )
        yield _Difference(told, f"Set DIFFUSERS_ATTN_BACKEND={backend} for the worker.")
    memory = needs.gpu_memory_gib
    if memory and fingerprint.gpu_memory_gib < memory:
        here = f"{fingerprint.gpu_memory_gib:g} GiB" if fingerprint.gpu else "no GPU"
        told = f"gpu_memory_gib: {memory:g} GiB is needed, {here} is here"
        yield _Difference(told, _REMEDIES["gpu_memory_gib"])


def _satisfies(present: str, wanted: str) -> bool:
    return bool(present) and SpecifierSet(wanted).contains(Version(present), prereleases=True)
