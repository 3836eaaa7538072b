"""A deployment on the test cluster, and what people and accidents do to it."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import dagster as dg
from dagster import RunsFilter
from dagster._core.launcher import LaunchRunContext
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from tests.support.control_plane import NAMESPACE, Api, ControlPlane, Json
from tests.support.kubelet import Kubelet, RunningPod
from tests.support.pod_image import STEP_SECONDS
from tests.support.project import Project
from tests.survival import rules
from wan_pipelines.components import tags
from wan_pipelines.components.campaign_keys import CampaignKeys
from wan_pipelines.components.launch import job_named
from wan_pipelines.studio import costs, planning, videos
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.studio import Studio

LOG = logging.getLogger(__name__)
STARTED = dg.DagsterRunStatus.STARTED
ENDED = {
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
}
PATIENCE_SECONDS = 120
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"


@dataclass(frozen=True)
class Scene:
    """One deployment; runs are launched by hand where the daemon would."""

    project: Project
    plane: ControlPlane
    kubelet: Kubelet
    instance: dg.DagsterInstance
    api: Api
    seen_at_work: dict[str, int] = field(default_factory=dict)

    def pace(self, seconds_per_step: float) -> None:
        """How long a step of the engine takes in pods that begin from now on."""
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/wan-config"
        self.api.patch(path, {"data": {STEP_SECONDS: str(seconds_per_step)}})

    def admit(self, campaign: str = "balls", edition: str = "one") -> None:
        """What the asset `shots` does, without a pod."""
        planning.admit(self.studio, campaign, edition)

    def check(self, campaign: str = "balls", edition: str = "one") -> None:
        """After the end of a run of takes: all that must hold of an edition, whatever happened."""
        key = edition_key(self.studio, campaign, edition)
        videos.publish(self.studio, key)
        costs.settle(self.studio, key)
        rules.check(self.studio, key)

    @property
    def studio(self) -> Studio:
        return self.project.studio()

    def launch(
        self,
        campaign: str = "balls",
        edition: str = "one",
        *,
        assets: Sequence[str] = (),
        launched: bool = True,
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
        if launched:
            self.begin(run.run_id)
        return run.run_id

    def begin(self, run: str) -> None:
        """What the daemon does with a run of its queue."""
        found = self.instance.get_run_by_id(run)
        assert found
        self.instance.run_launcher.launch_run(LaunchRunContext(found, None))

    def cancel(self, run: str) -> None:
        assert self.instance.run_launcher.terminate(run)

    def resume_lost_runs(self) -> None:
        """What the daemon does every ten seconds."""
        for record in self.instance.get_run_records(RunsFilter(statuses=[STARTED])):
            monitor_started_run(self.instance, cast("Any", None), record, LOG)

    def clean_up(self) -> None:
        """No run and no Job outlives its test, however it ended."""
        for run in self.instance.get_runs():
            if run.status not in ENDED:
                self.instance.report_run_canceled(run)
            self.instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        for job in self.api.items(JOBS):
            self.api.delete(f"{JOBS}/{job['metadata']['name']}")
        self.api.close()

    def status(self, run: str) -> dg.DagsterRunStatus:
        found = self.instance.get_run_by_id(run)
        assert found
        return found.status

    def until_ended(self, run: str, *, monitored: bool = False) -> dg.DagsterRunStatus:
        """How a run has ended, after waiting for it; `monitored`, as the daemon does all the time,
        if its pod may be lost meanwhile.
        """
        if monitored:
            self.until(lambda: self.resume_lost_runs() or self.status(run) in ENDED, about=run)
        self.until(lambda: self.status(run) in ENDED, about=run)
        return self.status(run)

    def until_success(self, run: str, *, monitored: bool = False) -> None:
        ended = self.until_ended(run, monitored=monitored)
        assert ended == dg.DagsterRunStatus.SUCCESS, self.story(run)

    def until(self, holds: Callable[[], Any], run: str = "", *, about: str = "") -> Any:
        """What is found in the end; tells the story of a run if it never is, or the run is over,
        and the story of the one that it is `about` if it never is.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := holds()):
            assert not run or self.status(run) not in ENDED, self.story(run)
            assert time.monotonic() < deadline, self.story(run or about)
            time.sleep(0.3)
        return found

    def story(self, run: str) -> str:
        """What Dagster and the pods have said of a run."""
        events = [each for each in self.instance.all_logs(run) if each.dagster_event]
        kinds = ("ENGINE_EVENT", "STEP_WORKER", "STEP_UP", "STEP_SUCCESS", "STEP_FAIL", "RUN_")
        said = [
            f"{e.step_key or ''} {e.message}"
            for e in events
            if e.dagster_event and e.dagster_event.event_type_value.startswith(kinds)
        ]
        data: list[Any] = [cast("Any", each.dagster_event).event_specific_data for each in events]
        errors = [str(each.error) for each in data if getattr(each, "error", None)]
        pods = [f"{pod.name} {pod.node} {pod.is_running}" for pod in self.kubelet.pods.values()]
        return "\n".join([*said, *errors, *pods])

    def messages(self, run: str) -> list[str]:
        return [each.message for each in self.instance.all_logs(run)]

    def said(self, run: str, words: str) -> str:
        """The first message of a run with these words; empty if there is none yet."""
        return next((each for each in self.messages(run) if words in each), "")

    def jobs(self, run: str) -> list[Json]:
        return self.api.items(f"{JOBS}?labelSelector=dagster/run-id={run}")

    def active_jobs(self, run: str) -> list[Json]:
        """Those that have not ended."""
        return [job for job in self.jobs(run) if not job["status"].get("conditions")]

    def slots(self, pool: str) -> int:
        """How many slots of a pool are taken."""
        return self.instance.event_log_storage.get_concurrency_info(pool).active_slot_count

    def at_work(self, run: str) -> list[RunningPod]:
        """The pods of a run that hold a GPU and have begun a shot; who began last, is last."""
        begun = [pod for pod in self.renders(run) if "step 0 of" in pod.said]
        for pod in begun:
            self.seen_at_work.setdefault(pod.name, len(self.seen_at_work))
        return sorted(begun, key=lambda pod: self.seen_at_work[pod.name])

    def renders(self, run: str, gpu_class: str = "h100") -> list[RunningPod]:
        """The pods of a run that hold GPUs of a class now."""
        found = self.kubelet.labelled(**{"run-id": run, "gpu-class": gpu_class})
        return [pod for pod in found if pod.is_running]

    def run_pods(self, run: str) -> list[RunningPod]:
        """The pods that have looked after a run, one after the other."""
        return self.kubelet.labelled(**{"run-id": run, "component": "run_worker"})
