"""Peak memory of one GPU, from the sizes of weights and shapes.

    denoise  resident weights + ACTIVATION_BYTES x tokens x width / GPUs
    decode   resident weights + the VAE's kept frames, widest block and video
    peak     the larger of the two

With offloading only the component that computes is resident. Sharded weights are divided by the
number of GPUs; the VAE decodes on one.
"""

from dataclasses import dataclass

from wan_pipelines.engines.estimating import vae
from wan_pipelines.engines.estimating.jobs import Job
from wan_pipelines.engines.estimating.machines import MachineClass
from wan_pipelines.engines.estimating.vae import FLOAT_BYTES

ACTIVATION_BYTES = 80
"""Live bytes per token and channel inside a block, in 16-bit types: calibrated on the published
Wan2.2-T2V-A14B at 720p on one GPU (59.8 GB, of which 28.6 are the expert)."""
HEADROOM = 0.9
"""Of a GPU's memory: the rest is for the driver's context, for what the allocator cannot use, and
for what the estimate misses."""
BLOCKS_HELD = 2
"""Of an expert that is offloaded block by block: one computes, one arrives."""
HALF_BYTES = 2


@dataclass(frozen=True, slots=True)
class ComponentBytes:
    """Bytes of the weights of each component, in the types they are held in."""

    expert: int
    text_encoder: int
    vae: int


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Peak bytes of one GPU (of a process, on a CPU) while denoising and while decoding."""

    denoise: int
    decode: int

    @property
    def peak(self) -> int:
        return max(self.denoise, self.decode)


def component_bytes(job: Job) -> ComponentBytes:
    """Numbers of each component, times the bytes they are held in."""
    parameters, options = job.model.parameters, job.options
    text_bytes = FLOAT_BYTES if options.precision == "float32" else HALF_BYTES
    return ComponentBytes(
        expert=parameters.expert * options.weight_bytes,
        text_encoder=parameters.text_encoder * text_bytes,
        vae=parameters.vae * FLOAT_BYTES,
    )


def estimate_memory(job: Job, machine: MachineClass) -> MemoryEstimate:
    """Of a shot on a machine of a class."""
    options = job.options
    weights = component_bytes(job)
    expert = weights.expert + options.adapters_bytes
    held = 0 if options.text_encoder_seconds is not None else weights.text_encoder
    everything = (job.experts * expert + held) // (options.gpus if options.sharded else 1)
    offloaded = options.offload != "none"
    if options.offload == "group":
        expert = expert * BLOCKS_HELD // job.architecture.transformer.layers
    return MemoryEstimate(
        denoise=machine.process_bytes
        + (expert if offloaded else everything + weights.vae)
        + _activations(job),
        decode=machine.process_bytes
        + (0 if offloaded else everything)
        + weights.vae
        + _decoding(job),
    )


def fits(needed_bytes: int, memory_bytes: int) -> bool:
    """Does a peak fit into a GPU's memory, with headroom?"""
    return needed_bytes <= memory_bytes * HEADROOM


def _activations(job: Job) -> int:
    shape = job.architecture.transformer
    each = ACTIVATION_BYTES * (2 if job.options.precision == "float32" else 1)
    if shape.timestep_per_token:
        each += 6 * 2 * FLOAT_BYTES
    return each * job.tokens * shape.width // job.options.gpus


def _decoding(job: Job) -> int:
    shape, clip = job.architecture.vae, job.clip
    if not job.options.vae_tiling:
        return vae.decoder_bytes(shape, clip)
    return vae.decoder_bytes(shape, vae.tiles(clip)[0]) + 2 * vae.video_bytes(clip)
