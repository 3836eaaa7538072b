"""Jobs of shards that run on the GPU class on which they have their turn."""

from collections.abc import Mapping
from typing import Any

from dagster._core.executor.step_delegating import StepHandlerContext
from dagster_k8s.container_context import K8sContainerContext

from wan_pipelines.components.step_jobs import StepJobs


class JobsInTurn(StepJobs):
    """`chosen` says of a step's key which GPU class it is, `per_gpu_class` how its pods look."""

    def __init__(
        self,
        *,
        chosen: Mapping[str, str],
        per_gpu_class: Mapping[str, Mapping[str, Any]],
        **how: Any,
    ) -> None:
        super().__init__(**how)
        self._chosen = chosen
        self._per_gpu_class = per_gpu_class
        self._as_declared = self._per_step_k8s_config

    def _get_container_context(
        self, step_handler_context: StepHandlerContext
    ) -> K8sContainerContext:
        gpu_class = self._chosen.get(self._get_step_key(step_handler_context))
        looks = self._per_gpu_class[gpu_class] if gpu_class else self._as_declared
        self._per_step_k8s_config = dict(looks)
        return super()._get_container_context(step_handler_context)
