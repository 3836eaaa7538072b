"""Seconds of a shot, stage by stage, from its counted work.

    forward   (projections + attention) / achieved matmul rate / GPUs
              + moved bytes / achieved bandwidth / GPUs + kernels x dispatch
              + bytes between GPUs / achieved link rate
    denoise   forwards x forward, less what a cache reuses, + fetching offloaded weights
    text      texts x operations / achieved matmul rate (on one GPU)
    decode    operations of the VAE / achieved convolution rate (on one GPU)

Two GPUs and more share a forward's tokens (Ulysses: queries, keys, values and results change hands
in every block; a ring of keys and values where the heads do not divide, hidden behind attention).
"""

from dataclasses import dataclass

from wan_pipelines.engines.estimating import text_encoder, transformer, vae
from wan_pipelines.engines.estimating.jobs import Job
from wan_pipelines.engines.estimating.machines import TRAFFIC_SHARE, MachineClass

HALF_BYTES = 2
ADAPTER_BYTES = 117
"""Bytes that unfused adapters move per token, channel and block: ten products of 16-bit values,
each read again, written, and added."""


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """Seconds of the stages of a shot, without loading and waiting."""

    text: float
    denoise_high: float
    denoise_low: float
    decode: float

    @property
    def total(self) -> float:
        return self.text + self.denoise_high + self.denoise_low + self.decode


def estimate_seconds(job: Job, machine: MachineClass) -> StageEstimate:
    """Of a shot on GPUs (or threads) of a class."""
    forward = forward_seconds(job, machine)
    if job.options.offload == "group":
        forward = max(forward, _expert_bytes(job) / machine.host_bytes)
    step = job.steps.forwards * forward * (1 - job.options.reused_share)
    fetch = _fetch_seconds(job, machine)
    return StageEstimate(
        text=_text_seconds(job, machine),
        denoise_high=job.steps.high * step + (fetch if job.steps.high else 0.0),
        denoise_low=job.steps.low * step + (fetch if job.steps.low else 0.0),
        decode=_decode_seconds(job, machine),
    )


def forward_seconds(job: Job, machine: MachineClass) -> float:
    """Of one forward through an expert, on all GPUs of the job together."""
    shape, tokens, options = job.architecture.transformer, job.tokens, job.options
    rate = machine.matmul_flops(options.precision)
    products = transformer.projection_flops(shape, tokens, job.text_tokens) / rate
    attention = transformer.attention_flops(shape, tokens, job.text_tokens) / rate
    moved = _moved_bytes(job) / (machine.bandwidth * TRAFFIC_SHARE)
    alone = transformer.operations(shape) * machine.dispatch_seconds
    shared = (products + attention + moved) / options.gpus
    return shared + alone + _exchange_seconds(job, machine, attention / options.gpus)


def _moved_bytes(job: Job) -> float:
    shape, tokens = job.architecture.transformer, job.tokens
    element_bytes = 4 if job.options.precision == "float32" else HALF_BYTES
    adapters = tokens * shape.width * shape.layers * ADAPTER_BYTES * element_bytes / HALF_BYTES
    moved = transformer.moved_bytes(shape, tokens, element_bytes)
    return moved + (adapters if job.options.adapters_used else 0)


def _exchange_seconds(job: Job, machine: MachineClass, attention_seconds: float) -> float:
    """What the GPUs of a job wait for each other in one forward."""
    options, shape = job.options, job.architecture.transformer
    if options.gpus == 1:
        return 0.0
    rate = machine.exchange_bytes
    others = (options.gpus - 1) / options.gpus
    sequence = job.tokens * shape.width * HALF_BYTES * shape.layers
    weights = job.model.parameters.expert * HALF_BYTES if options.sharded else 0
    gathered = weights * others / rate
    if shape.heads % options.gpus:
        return gathered + max(0.0, 2 * sequence * others / rate - attention_seconds)
    return gathered + 4 * sequence / options.gpus * others / rate


def _fetch_seconds(job: Job, machine: MachineClass) -> float:
    """Bringing an expert into GPU memory and back, where it is kept in host memory."""
    if job.options.offload != "model":
        return 0.0
    return 2 * _expert_bytes(job) / machine.host_bytes


def _expert_bytes(job: Job) -> int:
    return job.model.parameters.expert * job.options.weight_bytes


def _text_seconds(job: Job, machine: MachineClass) -> float:
    options, shape = job.options, job.architecture.text_encoder
    if options.text_encoder_seconds is not None:
        return options.text_encoder_seconds
    flops = job.texts * text_encoder.flops(shape, job.text_tokens)
    dispatched = job.texts * text_encoder.operations(shape) * machine.dispatch_seconds
    fetched = 0.0
    if options.offload != "none":
        size = job.model.parameters.text_encoder * HALF_BYTES
        fetched = 2 * size / machine.host_bytes
    return flops / machine.matmul_flops(options.precision) + dispatched + fetched


def _decode_seconds(job: Job, machine: MachineClass) -> float:
    shape = job.architecture.vae
    pieces = vae.tiles(job.clip) if job.options.vae_tiling else (job.clip,)
    flops = sum(vae.decoder_flops(shape, piece) for piece in pieces)
    kernels = sum(vae.operations(shape, piece) for piece in pieces)
    return flops / machine.convolution_flops + kernels * machine.dispatch_seconds
