"""Where the steps of a campaign run: pools, and the tags by which a cluster's executor places them.

On one machine every step is a process of it. In a cluster a step is a pod, and its op's tags say
of which kind; what those kinds look like is the environment's business, read when the pod is made.
"""

from dataclasses import dataclass

import dagster as dg

from wan_pipelines.components import tags
from wan_pipelines.components.kubernetes_config import gpu_pool_of
from wan_pipelines.engines.release_parts import FolderWeights, PackagedWeights
from wan_pipelines.engines.releases import read_release
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.places import environment_name, project_root
from wan_pipelines.studio.settings import Settings, read_settings

MACHINE_POOL = "gpu"
MACHINE_RETRIES = dg.RetryPolicy(max_retries=1, delay=1)
POD_RETRIES = dg.RetryPolicy(max_retries=3)
"""Without a delay, as all retries of pods: Dagster resumes no run that has waited between two."""


@dataclass(frozen=True, slots=True)
class StepPlace:
    """Where a step runs, and how often it may begin again when that place is gone.

    `can_vanish`: the place may be taken away under a step, with its pod.
    """

    pool: str | None
    tags: dict[str, str]
    retries: dg.RetryPolicy | None
    can_vanish: bool = False

    def elsewhere(self) -> dg.RetryRequested:
        """What a step ends with whose pod was told to go: another one goes on with what is left."""
        assert self.retries
        return dg.RetryRequested(max_retries=self.retries.max_retries)


def this_environment() -> Settings:
    """The settings of the environment whose definitions are being loaded."""
    return read_settings(project_root(), environment_name())


def on_gpu(
    settings: Settings, release: str, gpu_class: str | None = None, *, can_move: bool = False
) -> StepPlace:
    """A step that holds GPUs of a class, on a node with the weights of `release`.

    If it `can_move`, its turn may come on another class, whose pods may be lost more often.
    """
    chosen = settings.on(gpu_class)
    pods = chosen.rendering_class.kubernetes
    if pods is None or not settings.kubernetes:
        return StepPlace(MACHINE_POOL, {}, MACHINE_RETRIES)
    others = settings.gpu_classes.values() if can_move else ()
    retries = [pods.retries, *(each.kubernetes.retries for each in others if each.kubernetes)]
    return StepPlace(
        gpu_pool_of(chosen.gpu_class),
        {tags.GPU_CLASS: chosen.gpu_class, **_weights(release)},
        dg.RetryPolicy(max_retries=max(retries)),
        can_vanish=True,
    )


def on_cpu(settings: Settings) -> StepPlace:
    """A step that works on rows and files: on one machine it fails where it would fail again."""
    return StepPlace(None, {}, POD_RETRIES if settings.kubernetes else None)


def beside_gpu(settings: Settings, release: str) -> StepPlace:
    """A step that works on the weights of a GPU node, and leaves its GPU alone."""
    if not settings.kubernetes:
        return StepPlace(None, {}, None)
    node = {tags.NODE_CLASS: settings.gpu_class, **_weights(release)}
    return StepPlace(None, node, POD_RETRIES)


def _weights(name: str) -> dict[str, str]:
    """Names the release if a node has to fetch its weights before a step of it can begin."""
    release = read_release(project_root() / "assets" / "models" / name / "defs.yaml")
    is_at_hand = isinstance(release.source, PackagedWeights | FolderWeights | ServedWeights)
    return {} if is_at_hand else {tags.RELEASE: name}
