"""Jobs of shards that run on the GPU class on which they have their turn."""

from collections.abc import Mapping
from typing import Any

from dagster._core.executor.step_delegating import CheckStepHealthResult, StepHandlerContext
from dagster_k8s.container_context import K8sContainerContext

from wan_pipelines.components.step_jobs import StepJobs
from wan_pipelines.components.turnstile import Turns


class JobsInTurn(StepJobs):
    """`turns` says on which GPU class a step has its turn, `per_gpu_class` how its pods look."""

    def __init__(
        self, *, turns: Turns, per_gpu_class: Mapping[str, Mapping[str, Any]], **how: Any
    ) -> None:
        super().__init__(**how)
        self._turns = turns
        self._per_gpu_class = per_gpu_class
        self._as_declared = self._per_step_k8s_config

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """A step that waits for a node of spot capacity ends before that is too late, and begins
        again where its turn comes then.
        """
        told = super().check_step_health(step_handler_context)
        step = self._get_step_key(step_handler_context)
        watched = self._watched.get(step)
        if not (told.is_healthy and watched and watched.why and self._turns.must_move(step)):
            return told
        namespace = self._get_container_context(step_handler_context).namespace
        assert namespace
        self._api_client.delete_job(watched.job, namespace)
        return CheckStepHealthResult.unhealthy(
            f"its campaign is due, and it waits for spot capacity: it moves on. {watched.why}"
        )

    def _get_container_context(
        self, step_handler_context: StepHandlerContext
    ) -> K8sContainerContext:
        gpu_class = self._turns.gpu_classes.get(self._get_step_key(step_handler_context))
        looks = self._per_gpu_class[gpu_class] if gpu_class else self._as_declared
        self._per_step_k8s_config = dict(looks)
        return super()._get_container_context(step_handler_context)
