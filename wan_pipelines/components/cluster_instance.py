"""`dagster.yaml` of a cluster: runs are Jobs, and what Dagster remembers lies in PostgreSQL."""

from typing import Any

from wan_pipelines.cluster.records import Cluster
from wan_pipelines.components.kubernetes_config import run_config
from wan_pipelines.from_environment import for_dagster
from wan_pipelines.studio.settings import Settings

RESUMES = 3


def cluster_config(settings: Settings, cluster: Cluster) -> dict[str, Any]:
    """The settings of an instance whose runs are pods.

    A run whose pod is lost is resumed: its steps go on meanwhile. One that has ended gives its
    slots back, however it has.
    """
    return {
        "run_launcher": {
            "module": "wan_pipelines.components.run_launcher",
            "class": "PatientRunLauncher",
            "config": launcher_config(settings, cluster),
        },
        "run_coordinator": {
            "module": "dagster._core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {
                "dequeue_interval_seconds": 1,
                "dequeue_use_threads": True,
                "dequeue_num_workers": 4,
            },
        },
        "run_monitoring": {
            "enabled": True,
            "poll_interval_seconds": 10,
            "start_timeout_seconds": cluster.start_timeout_seconds,
            "cancel_timeout_seconds": longest_grace_seconds(settings) + 60,
            "max_resume_run_attempts": RESUMES,
            "free_slots_after_run_end_seconds": 30,
        },
        "compute_logs": {
            "module": "dagster._core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
        },
    }


def launcher_config(settings: Settings, cluster: Cluster) -> dict[str, Any]:
    """The configuration of the launcher, which is dagster-k8s's but for its patience."""
    return {
        "service_account_name": cluster.service_account,
        "job_namespace": cluster.namespace,
        "job_image": for_dagster(cluster.image),
        "instance_config_map": cluster.instance_config_map,
        "dagster_home": cluster.dagster_home,
        "load_incluster_config": cluster.in_cluster,
        "run_k8s_config": run_config(settings, cluster),
    }


def longest_grace_seconds(settings: Settings) -> int:
    """What the slowest pod gets to end in good order."""
    return max(
        pods.grace_seconds for each in settings.gpu_classes.values() if (pods := each.kubernetes)
    )
