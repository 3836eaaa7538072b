"""Jobs of runs that are over: a pod that still waits, or renders, does so for nobody."""

import dagster as dg

from wan_pipelines.cluster.records import Cluster

OVER = {"failed": dg.DagsterRunStatus.FAILURE, "cancelled": dg.DagsterRunStatus.CANCELED}


def leftover_sensors(cluster: Cluster) -> list[dg.SensorDefinition]:
    """Whoever has ended a run, and whatever became of its pod: none of its Jobs outlives it."""
    return [_sensor(cluster, how, status) for how, status in OVER.items()]


def _sensor(cluster: Cluster, how: str, status: dg.DagsterRunStatus) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        run_status=status,
        name=f"pods_of_{how}_runs",
        description=f"Removes the Jobs of {how} runs that have not ended.",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        monitor_all_code_locations=False,
    )
    def sensor(context: dg.RunStatusSensorContext) -> None:
        from dagster_k8s.utils import load_kubernetes_config

        from wan_pipelines.components.api_client import PatientClient

        load_kubernetes_config(load_incluster_config=cluster.in_cluster, kubeconfig_file=None)
        client = PatientClient.of_this_process()
        for name in client.end_jobs(context.dagster_run.run_id, cluster.namespace):
            context.log.info(f"Removed {name}")

    return sensor
