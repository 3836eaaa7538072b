"""A machine that is not what a release needs is refused before anything is loaded."""

from dataclasses import replace

import pytest

from wan_pipelines.engines.fingerprint import Fingerprint
from wan_pipelines.engines.needs import Needs, check_needs
from wan_pipelines.errors import EngineError, FingerprintMismatch

H100 = Fingerprint(
    python="3.11.7",
    torch="2.9.0+cu128",
    diffusers="0.42.1",
    transformers="5.1.0",
    cuda="12.8",
    driver="570.124.06",
    cudnn="9.10.2",
    nccl="2.27.3",
    triton="3.5.0",
    gpu="NVIDIA H100 80GB HBM3",
    gpu_memory_gib=79.2,
    compute_capability="9.0",
    attention_backend="native",
    cpu_isa="avx512",
    threads=8,
    machine="x86_64",
)
LAPTOP = replace(
    H100,
    torch="2.9.0+cpu",
    cuda="",
    driver="",
    gpu="",
    gpu_memory_gib=0.0,
    cudnn="",
    nccl="",
    compute_capability="",
)
A14B = Needs(cuda=">=12.1", torch=">=2.8", diffusers=">=0.42.1,<0.43", gpu_memory_gib=79)


def test_a_machine_that_fits_passes() -> None:
    check_needs(A14B, H100)
    check_needs(Needs(), LAPTOP)
    check_needs(Needs(torch=">=2.8", python=">=3.11"), LAPTOP)


def test_every_difference_is_named_with_its_remedy() -> None:
    with pytest.raises(FingerprintMismatch) as caught:
        check_needs(A14B, replace(LAPTOP, diffusers="0.41.0"))
    message = str(caught.value)
    assert "cuda: >=12.1 is needed, none is here. Run this release on a GPU class" in message
    assert "diffusers: >=0.42.1,<0.43 is needed, 0.41.0 is here. Install" in message
    assert "gpu_memory_gib: 79 GiB is needed, no GPU is here. Choose" in message
    assert "torch" not in message.replace("a build of torch", "")
    assert isinstance(caught.value, EngineError)


@pytest.mark.parametrize(
    ("fingerprint", "words"),
    [
        (replace(H100, cuda="11.8"), "cuda: >=12.1 is needed, 11.8 is here"),
        (replace(H100, torch="2.7.1+cu126"), r"torch: >=2.8 is needed, 2.7.1\+cu126 is here"),
        (replace(H100, gpu_memory_gib=23.6), "79 GiB is needed, 23.6 GiB is here"),
    ],
)
def test_one_difference(fingerprint: Fingerprint, words: str) -> None:
    with pytest.raises(FingerprintMismatch, match=words):
        check_needs(A14B, fingerprint)


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        (Needs(triton=">=3.6"), "triton: >=3.6 is needed, 3.5.0 is here. Install triton >=3.6"),
        (Needs(cudnn=">=9.11"), "cudnn: >=9.11 is needed, 9.10.2 is here. Use a build of torch"),
        (Needs(nccl=">=2.28"), "nccl: >=2.28 is needed, 2.27.3 is here. Use a build of torch"),
        (
            Needs(compute_capability=">=10.0"),
            "compute_capability: >=10.0 is needed, 9.0 is here. Choose a GPU class",
        ),
        (
            Needs(attention_backend="flash"),
            "attention_backend: flash is needed, native is here. Set DIFFUSERS_ATTN_BACKEND=flash",
        ),
    ],
)
def test_what_else_may_be_needed(needs: Needs, words: str) -> None:
    with pytest.raises(FingerprintMismatch, match=words):
        check_needs(needs, H100)


def test_a_laptop_has_nothing_of_a_gpu() -> None:
    needs = Needs(cudnn=">=9", nccl=">=2", compute_capability=">=8.0")
    with pytest.raises(FingerprintMismatch) as caught:
        check_needs(needs, LAPTOP)
    assert str(caught.value).count("is needed, none is here") == 3


def test_versions_are_compared_as_versions() -> None:
    check_needs(Needs(cuda=">=9.0"), H100)
    check_needs(Needs(driver=">=535"), H100)
    check_needs(Needs(cudnn=">=9.9", compute_capability=">=8.9", nccl=">=2.3"), H100)
    check_needs(Needs(torch=">=2.8"), replace(H100, torch="2.10.0a0+git"))
