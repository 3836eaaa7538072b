"""GPU classes: what their data sheets promise, and which share of it was achieved.

Peaks are dense (no sparsity), products accumulated in float32, per GPU, with links one way. The
shares are calibrated: `MachineClass.calibration` says on what. Memory is what `nvidia-smi` reports.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Precision = Literal["float32", "float16", "bfloat16", "float8"]
Gpu = Literal["rtx4090", "l40s", "a100", "h100", "h200"]

NVLINK_SHARE = 0.35
"""Of NVLink's promised bandwidth: calibrated on the published A14B at 720p on four H100."""
PCIE_SHARE = 0.25
"""Of PCIe's, where everything passes through host memory that is not pinned: calibrated on the
published TI2V-5B on four RTX 4090, which have no peer-to-peer access."""
TRAFFIC_SHARE = 0.8
"""Of the memory's promised bandwidth, by kernels that only read and write: usual for streaming."""

PUBLISHED_SPREAD = 0.2
"""Every published row of the classes that have some is met within this."""
UNPUBLISHED_SPREAD = 0.5
A14B_720P = "the published Wan2.2-T2V-A14B at 720p on one GPU"
UNPUBLISHED = "no published row: the lowest share of the classes that have one"


@dataclass(frozen=True, slots=True)
class MachineClass:
    """One GPU, or one thread of a CPU: floating-point operations and bytes a second.

    matmul_share: of the peak, by matrix products and attention.
    convolution_share: of the float32 peak of the vector units, by the VAE's thin convolutions.
    memory_bytes: of a GPU; 0 for a CPU, whose memory is the machine's.
    dispatch_seconds: from one kernel to the next where kernels are tiny.
    process_bytes: what a process holds before any weights.
    spread: by how much an estimate may be off, either way, before there are takes to learn from.
    """

    name: str
    title: str
    memory_bytes: int
    flops: dict[Precision, float]
    vector_flops: float
    bandwidth: float
    link: float
    link_share: float
    host_link: float
    matmul_share: float
    convolution_share: float
    dispatch_seconds: float
    process_bytes: int
    spread: float
    source: str
    calibration: str

    def matmul_flops(self, precision: Precision) -> float:
        """Achieved operations a second of matrix products; unlisted types run as float32."""
        return self.flops.get(precision, self.flops["float32"]) * self.matmul_share

    @property
    def exchange_bytes(self) -> float:
        """Achieved bytes a second between GPUs."""
        return self.link * self.link_share

    @property
    def host_bytes(self) -> float:
        """Achieved bytes a second to and from host memory."""
        return self.host_link * PCIE_SHARE

    @property
    def convolution_flops(self) -> float:
        return self.vector_flops * self.convolution_share


def cpu(threads: int) -> MachineClass:
    """So many threads of one process; kernels are dispatched by one of them."""
    return replace(
        CPU_THREAD,
        flops={"float32": CPU_THREAD.flops["float32"] * threads},
        vector_flops=CPU_THREAD.vector_flops * threads,
    )


def _gpu(  # noqa: PLR0913 (a data sheet has many figures)
    name: Gpu,
    title: str,
    *,
    memory_mib: int,
    half_tflops: float,
    float8_tflops: float,
    tf32_tflops: float,
    vector_tflops: float,
    terabytes_per_second: float,
    link_gigabytes: float,
    link_share: float,
    host_gigabytes: float,
    matmul_share: float,
    source: str,
    calibration: str,
) -> MachineClass:
    flops: dict[Precision, float] = {
        "float32": tf32_tflops * 1e12,
        "float16": half_tflops * 1e12,
        "bfloat16": half_tflops * 1e12,
    }
    if float8_tflops:
        flops["float8"] = float8_tflops * 1e12
    return MachineClass(
        name=name,
        title=title,
        memory_bytes=memory_mib * 1024**2,
        flops=flops,
        vector_flops=vector_tflops * 1e12,
        bandwidth=terabytes_per_second * 1e12,
        link=link_gigabytes * 1e9,
        link_share=link_share,
        host_link=host_gigabytes * 1e9,
        matmul_share=matmul_share,
        convolution_share=1.0,
        dispatch_seconds=5e-6,
        process_bytes=0,
        spread=UNPUBLISHED_SPREAD if calibration == UNPUBLISHED else PUBLISHED_SPREAD,
        source=source,
        calibration=calibration,
    )


H100 = _gpu(
    "h100",
    "NVIDIA H100 SXM 80 GB",
    memory_mib=81_559,
    half_tflops=989.4,
    float8_tflops=1978.9,
    tf32_tflops=494.7,
    vector_tflops=66.9,
    terabytes_per_second=3.35,
    link_gigabytes=450,
    link_share=NVLINK_SHARE,
    host_gigabytes=64,
    matmul_share=0.60,
    source="NVIDIA H100 Tensor Core GPU data sheet",
    calibration=A14B_720P,
)
A100 = _gpu(
    "a100",
    "NVIDIA A100 SXM 80 GB",
    memory_mib=81_920,
    half_tflops=312,
    float8_tflops=0,
    tf32_tflops=156,
    vector_tflops=19.5,
    terabytes_per_second=2.039,
    link_gigabytes=300,
    link_share=NVLINK_SHARE,
    host_gigabytes=32,
    matmul_share=0.68,
    source="NVIDIA A100 Tensor Core GPU data sheet",
    calibration=A14B_720P,
)
RTX_4090 = _gpu(
    "rtx4090",
    "NVIDIA GeForce RTX 4090",
    memory_mib=24_564,
    half_tflops=165.2,
    float8_tflops=330.3,
    tf32_tflops=82.6,
    vector_tflops=82.6,
    terabytes_per_second=1.008,
    link_gigabytes=32,
    link_share=PCIE_SHARE,
    host_gigabytes=32,
    matmul_share=0.88,
    source="NVIDIA Ada GPU architecture white paper, appendix A",
    calibration="the published Wan2.2-TI2V-5B at 720p on one GPU",
)
H200 = _gpu(
    "h200",
    "NVIDIA H200 SXM 141 GB",
    memory_mib=143_771,
    half_tflops=989.4,
    float8_tflops=1978.9,
    tf32_tflops=494.7,
    vector_tflops=66.9,
    terabytes_per_second=4.8,
    link_gigabytes=450,
    link_share=NVLINK_SHARE,
    host_gigabytes=64,
    matmul_share=0.60,
    source="NVIDIA H200 Tensor Core GPU data sheet",
    calibration=UNPUBLISHED,
)
L40S = _gpu(
    "l40s",
    "NVIDIA L40S 48 GB",
    memory_mib=46_068,
    half_tflops=362.05,
    float8_tflops=733,
    tf32_tflops=183,
    vector_tflops=91.6,
    terabytes_per_second=0.864,
    link_gigabytes=32,
    link_share=PCIE_SHARE,
    host_gigabytes=32,
    matmul_share=0.60,
    source="NVIDIA L40S data sheet",
    calibration=UNPUBLISHED,
)
CPU_THREAD = MachineClass(
    name="cpu",
    title="one thread of an x86-64 core with AVX2",
    memory_bytes=0,
    flops={"float32": 96e9},
    vector_flops=96e9,
    bandwidth=15e9,
    link=15e9,
    link_share=PCIE_SHARE,
    host_link=15e9,
    matmul_share=0.8,
    convolution_share=0.19,
    dispatch_seconds=22e-6,
    process_bytes=600_000_000,
    spread=UNPUBLISHED_SPREAD,
    source="two fused multiply-adds of eight float32 a cycle at 3 GHz",
    calibration="wan-tiny on one thread of a two-core x86-64 machine",
)

GPUS: Mapping[str, MachineClass] = {each.name: each for each in (RTX_4090, L40S, H100, A100, H200)}
"""Data sheets by name, the smallest memory first."""
