"""What the GPUs of an environment can hold and do: data sheets, and what the settings say."""

from dataclasses import dataclass

from wan_pipelines.engines.estimating.machines import CPU_THREAD, GPUS, MachineClass, cpu
from wan_pipelines.studio.gpu_class_settings import GpuClass
from wan_pipelines.studio.settings import Settings
from wan_pipelines.units import GIB


@dataclass(frozen=True, slots=True)
class Capacity:
    """A GPU class by the name an environment gives it, and the memory a worker has on each."""

    gpu_class: str
    machine: MachineClass
    memory_bytes: int

    @property
    def on_cpu(self) -> bool:
        return self.machine.name == CPU_THREAD.name


def capacity_of(settings: Settings, gpu_class: str | None = None) -> Capacity:
    """Of the class that renders, or of another one of the environment."""
    name = gpu_class or settings.gpu_class
    chosen = settings.gpu_classes[name]
    if chosen.device == "cpu":
        machine = cpu(settings.workers.threads)
        return Capacity(name, machine, _host_memory(chosen, settings.workers.count))
    machine = GPUS[chosen.hardware or name]
    declared = machine.memory_bytes if chosen.memory_gib is None else int(chosen.memory_gib * GIB)
    return Capacity(name, machine, declared)


def _host_memory(chosen: GpuClass, workers: int) -> int:
    """A worker's part of what is declared, else of this machine's memory."""
    if chosen.memory_gib is not None:
        return int(chosen.memory_gib * GIB)
    import psutil

    return psutil.virtual_memory().total // workers
