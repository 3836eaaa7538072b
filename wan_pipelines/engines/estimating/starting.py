"""Seconds a worker is paid for before it can render: its process starts, its engine is loaded.

No source publishes them, so these are assumptions, good until there are workers to learn from.
"""

from wan_pipelines.engines.estimating.jobs import Job
from wan_pipelines.engines.estimating.machines import CPU_THREAD, MachineClass
from wan_pipelines.engines.estimating.memory import component_bytes

CPU_START_SECONDS = 5.0
"""Of a process that imports torch and diffusers."""
GPU_START_SECONDS = 30.0
"""The same, and a pod that is placed, its GPU's context, and the first kernels."""
LOAD_BYTES_PER_SECOND = 1e9
"""From a local disk to where it computes, checked and cast."""


def start_seconds(job: Job, machine: MachineClass) -> float:
    """Until a worker begins its first render, with weights that lie on its node."""
    weights = component_bytes(job)
    loaded = job.experts * weights.expert + weights.text_encoder + weights.vae
    process = CPU_START_SECONDS if machine.name == CPU_THREAD.name else GPU_START_SECONDS
    return process + loaded / LOAD_BYTES_PER_SECOND
