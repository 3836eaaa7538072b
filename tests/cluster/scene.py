"""A deployment on the test cluster, and what people and accidents do to it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.launcher import LaunchRunContext

from tests.support.control_plane import NAMESPACE, Api, ControlPlane
from tests.support.kubelet import Kubelet, RunningPod
from tests.support.project import Project
from wan_pipelines.components import tags
from wan_pipelines.components.campaign_keys import CampaignKeys
from wan_pipelines.components.launch import job_named
from wan_pipelines.studio.studio import Studio

PATIENCE_SECONDS = 60
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"


@dataclass(frozen=True)
class Scene:
    """One deployment; runs are launched by hand where the daemon would."""

    project: Project
    plane: ControlPlane
    kubelet: Kubelet
    instance: dg.DagsterInstance
    api: Api

    @property
    def studio(self) -> Studio:
        return self.project.studio()

    def launch(
        self, campaign: str = "balls", edition: str = "one", *, assets: Sequence[str] = ()
    ) -> str:
        """Begin a run of an edition, or of some of its assets; returns its id."""
        keys = CampaignKeys(campaign)
        self.instance.add_dynamic_partitions(f"{campaign}_editions", [edition])
        recon = dg.build_reconstructable_job(
            "wan_pipelines.components.launch", job_named.__name__, (keys.job,)
        )
        chosen = {dg.AssetKey([campaign, name]) for name in assets} or None
        run = self.instance.create_run_for_job(
            recon.get_definition().get_subset(asset_selection=chosen),
            tags={tags.PARTITION: edition},
            job_code_origin=recon.get_python_origin(),
            asset_selection=frozenset(chosen) if chosen else None,
        )
        self.instance.report_dagster_event(
            dg.DagsterEvent("PIPELINE_STARTING", job_name=keys.job), run.run_id
        )
        self.instance.run_launcher.launch_run(LaunchRunContext(run, None))
        return run.run_id

    def status(self, run: str) -> dg.DagsterRunStatus:
        found = self.instance.get_run_by_id(run)
        assert found
        return found.status

    def until_ended(self, run: str) -> dg.DagsterRunStatus:
        """How a run has ended, after waiting for it."""
        ended = {
            dg.DagsterRunStatus.SUCCESS,
            dg.DagsterRunStatus.FAILURE,
            dg.DagsterRunStatus.CANCELED,
        }
        self.until(lambda: self.status(run) in ended, run)
        return self.status(run)

    def until_success(self, run: str) -> None:
        assert self.until_ended(run) == dg.DagsterRunStatus.SUCCESS, self.story(run)

    def until(self, holds: Callable[[], Any], run: str) -> Any:
        """What is found in the end; tells the run's story if it never is."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := holds()):
            assert time.monotonic() < deadline, self.story(run)
            time.sleep(0.1)
        return found

    def story(self, run: str) -> str:
        """All that Dagster and the pods have said of a run."""
        said = [
            f"{e.step_key or ''}: {e.dagster_event_type or ''} {e.user_message or e.message}"
            for e in self.instance.all_logs(run)
        ]
        data = [
            e.dagster_event.event_specific_data
            for e in self.instance.all_logs(run)
            if e.dagster_event
        ]
        errors = [str(each.error) for each in data if getattr(each, "error", None)]
        logs = [
            f"--- {pod.name}\n{pod.log.read_text()[-3000:] if pod.log.exists() else ''}"
            for pod in self.kubelet.pods.values()
        ]
        return "\n".join([*said, *errors, *logs])

    def messages(self, run: str) -> list[str]:
        return [e.message for e in self.instance.all_logs(run) if e.dagster_event]

    def renders(self, gpu_class: str = "h100") -> list[RunningPod]:
        """The pods that hold GPUs now."""
        found = self.kubelet.of_job("dagster-step", wan_gpu_class=gpu_class)
        return [pod for pod in found if pod.is_running]
