"""Published seconds and peak gigabytes of Wan models, and how they were made.

Sources: "Computational Efficiency on Different GPUs" in the READMEs of Wan2.2 (A14B, TI2V-5B) and
Wan2.1 (1.3B), whose footnotes say with which options each was run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wan_pipelines.engines.estimating.architecture import (
    Architecture,
    TextEncoderShape,
    TransformerShape,
    VaeShape,
)
from wan_pipelines.engines.estimating.jobs import Job, Options, Steps
from wan_pipelines.engines.estimating.machines import A100, H100, RTX_4090, MachineClass
from wan_pipelines.engines.estimating.models import model_of
from wan_pipelines.engines.estimating.vae import Clip

TEXT_ON_CPU_SECONDS = 30.0
"""Two prompts through UMT5-xxl on a server's CPU: assumed, nothing is published."""

UMT5_XXL = TextEncoderShape(
    layers=24, width=4096, heads=64, head_dim=64, ffn_dim=10240, vocabulary=256_384
)
WAN21_VAE = VaeShape(
    base=96,
    decoder_base=96,
    latent=16,
    multipliers=(1, 2, 4, 4),
    blocks=2,
    halves_time=(False, True, True),
)
WAN22_VAE = VaeShape(
    base=160,
    decoder_base=256,
    latent=48,
    multipliers=(1, 2, 4, 4),
    blocks=2,
    halves_time=(False, True, True),
    residual=True,
    pixels=2,
    spatial_factor=16,
)
A14B = Architecture(
    transformer=TransformerShape(
        layers=40, heads=40, head_dim=128, ffn_dim=13824, text_dim=4096, channels=16
    ),
    text_encoder=UMT5_XXL,
    vae=WAN21_VAE,
)
TI2V_5B = Architecture(
    transformer=TransformerShape(
        layers=30,
        heads=24,
        head_dim=128,
        ffn_dim=14336,
        text_dim=4096,
        channels=48,
        timestep_per_token=True,
    ),
    text_encoder=UMT5_XXL,
    vae=WAN22_VAE,
)
T2V_1_3B = Architecture(
    transformer=TransformerShape(
        layers=30, heads=12, head_dim=128, ffn_dim=8960, text_dim=4096, channels=16
    ),
    text_encoder=UMT5_XXL,
    vae=WAN21_VAE,
)


HD, SD = Clip(1280, 720, 81), Clip(832, 480, 81)
CALIBRATES = {
    ("A14B 720p", "h100", 1): "matmul share of the H100; activation bytes",
    ("A14B 720p", "a100", 1): "matmul share of the A100",
    ("A14B 720p", "h100", 4): "share of NVLink",
    ("TI2V-5B 704p", "rtx4090", 1): "matmul share of the RTX 4090",
    ("TI2V-5B 704p", "rtx4090", 4): "share of PCIe",
}


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A model on one, four or eight GPUs, as published; gigabytes are taken to be 10^9 bytes."""

    model: str
    machine: MachineClass
    job: Job
    seconds: float
    gigabytes: float

    @property
    def calibrates(self) -> str:
        """Which numbers of this package rest on the row; empty for one that only checks them."""
        return CALIBRATES.get((self.model, self.machine.name, self.job.options.gpus), "")


def published_rows() -> tuple[PublishedRow, ...]:
    """All of them."""
    return (
        *_a14b(H100, HD, {1: (1041.5, 59.8), 4: (288.7, 51.7), 8: (155.1, 37.1)}),
        *_a14b(H100, SD, {1: (326.9, 41.3), 4: (91.7, 40.9), 8: (51.5, 26.3)}),
        *_a14b(A100, HD, {1: (2735.7, 59.8), 4: (725.3, 51.7), 8: (386.7, 37.0)}),
        *_a14b(A100, SD, {1: (785.7, 41.3), 4: (215.2, 40.9), 8: (119.9, 26.3)}),
        *_ti2v_5b({1: (534.7, 22.9), 4: (231.3, 22.6), 8: (157.2, 22.6)}),
        *_t2v_1_3b({1: (261.4, 8.2), 4: (120.8, 14.1), 8: (112.3, 12.2)}),
    )


def _a14b(
    machine: MachineClass, clip: Clip, rows: Mapping[int, tuple[float, float]]
) -> Iterator[PublishedRow]:
    """Alone `--offload_model --convert_model_dtype`, together `--dit_fsdp --t5_fsdp` in float32."""
    for gpus, (seconds, gigabytes) in rows.items():
        together = Options(gpus=gpus, sharded=True, weight_bytes=4)
        options = Options(offload="model") if gpus == 1 else together
        job = Job(
            model=model_of(A14B, None),
            clip=clip,
            experts=2,
            steps=Steps(26, 14, 2),
            text_tokens=512,
            options=options,
        )
        yield PublishedRow(f"A14B {clip.height}p", machine, job, seconds, gigabytes)


def _ti2v_5b(rows: Mapping[int, tuple[float, float]]) -> Iterator[PublishedRow]:
    """All with `--offload_model --convert_model_dtype --t5_cpu`."""
    for gpus, (seconds, gigabytes) in rows.items():
        job = Job(
            model=model_of(TI2V_5B, None),
            clip=Clip(1280, 704, 121),
            experts=1,
            steps=Steps(50, 0, 2),
            text_tokens=512,
            options=Options(gpus=gpus, offload="model", text_encoder_seconds=TEXT_ON_CPU_SECONDS),
        )
        yield PublishedRow("TI2V-5B 704p", RTX_4090, job, seconds, gigabytes)


def _t2v_1_3b(rows: Mapping[int, tuple[float, float]]) -> Iterator[PublishedRow]:
    """Alone `--offload_model --t5_cpu`, together sharded; eight share twelve heads in a ring."""
    alone = Options(offload="model", weight_bytes=4, text_encoder_seconds=TEXT_ON_CPU_SECONDS)
    for gpus, (seconds, gigabytes) in rows.items():
        job = Job(
            model=model_of(T2V_1_3B, None),
            clip=SD,
            experts=1,
            steps=Steps(50, 0, 2),
            text_tokens=512,
            options=alone if gpus == 1 else Options(gpus=gpus, sharded=True, weight_bytes=4),
        )
        yield PublishedRow("Wan2.1-1.3B 480p", RTX_4090, job, seconds, gigabytes)
