"""How the steps of a run become pods of a cluster."""

from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.executor.step_delegating import step_delegating_executor

from wan_pipelines.cluster.records import Cluster
from wan_pipelines.components.kubernetes_config import (
    gpu_pool_of,
    on_class,
    per_step_config,
    pool_slots,
    step_config,
)
from wan_pipelines.components.turnstile import ExecutorInTurn, Turns
from wan_pipelines.studio.settings import Settings

if TYPE_CHECKING:
    from wan_pipelines.components.jobs_in_turn import JobsInTurn


def pods_executor(settings: Settings, cluster: Cluster) -> dg.ExecutorDefinition:
    """One Job of one pod for each step: on GPUs or not, as the op's tags say.

    What needs the cluster's client or the values of its environment happens when a run begins.
    """

    @dg.executor(name="pods", requirements=dg.multiple_process_executor_requirements())
    def pods(context: dg.InitExecutorContext) -> dg.Executor:
        from dagster._core.execution.retries import RetryMode

        from wan_pipelines.components.step_jobs import PodsOfRun

        nodes = context.job.get_definition().all_node_defs
        ops = [node for node in nodes if isinstance(node, dg.OpDefinition)]
        limit_pools(context.instance, settings, ops)
        turns = Turns()
        executor = PodsOfRun(
            _step_jobs(settings, cluster, ops, turns),
            cluster.namespace,
            retries=RetryMode.ENABLED,
            check_step_health_interval_seconds=cluster.health_seconds,
            should_verify_step=True,
        )
        return ExecutorInTurn(
            executor,
            step_delegating_executor,
            settings.name,
            pool_of=gpu_pool_of,
            turns=turns,
        )

    return pods


def _step_jobs(
    settings: Settings, cluster: Cluster, ops: list[dg.OpDefinition], turns: Turns
) -> "JobsInTurn":
    from dagster_k8s.container_context import K8sContainerContext
    from dagster_k8s.job import UserDefinedDagsterK8sConfig

    from wan_pipelines.components.jobs_in_turn import JobsInTurn

    op_tags = {op.name: op.tags for op in ops}
    steps = UserDefinedDagsterK8sConfig.from_dict(step_config(settings, cluster))
    return JobsInTurn(
        turns=turns,
        per_gpu_class={
            name: per_step_config(settings, cluster, on_class(op_tags, name))
            for name in settings.gpu_classes
        },
        image=None,
        container_context=K8sContainerContext(namespace=cluster.namespace, run_k8s_config=steps),
        load_incluster_config=cluster.in_cluster,
        kubeconfig_file=None,
        per_step_k8s_config=per_step_config(settings, cluster, op_tags),
        wait_seconds=cluster.wait_hours * 3600,
    )


def limit_pools(
    instance: dg.DagsterInstance, settings: Settings, ops: list[dg.OpDefinition]
) -> None:
    """Give the pools on which these ops may render the slots that the environment declares."""
    storage = instance.event_log_storage
    may_render = any(op.pool for op in ops)
    wanted = pool_slots(settings, map(gpu_pool_of, settings.gpu_classes) if may_render else ())
    known = {limit.name: limit.limit for limit in storage.get_pool_limits()}
    for pool, slots in wanted.items():
        if known.get(pool) != slots:
            storage.set_concurrency_slots(pool, slots)
