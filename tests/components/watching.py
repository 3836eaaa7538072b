"""A campaign under the eyes of its sensor, with what the daemon and a run would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import dagster as dg

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.components import tags
from wan_pipelines.components.resource import StudioDoor
from wan_pipelines.definitions import load
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.watch import wish_of


@dataclass(frozen=True)
class Watched:
    """The definitions are those of the beginning: as in a code server, nobody reloads them."""

    project: Project
    instance: dg.DagsterInstance
    definitions: dg.Definitions
    campaign: str = "balls"

    @property
    def studio(self) -> Studio:
        return self.project.studio()

    @property
    def job(self) -> str:
        return f"campaign_{self.campaign}"

    def tick(self) -> list[dg.RunRequest] | str:
        """What the sensor asks for, or why it asks for nothing."""
        sensor = self.definitions.resolve_sensor_def(f"{self.job}_rerender")
        studio = StudioDoor(self.project.root, self.project.state, "local")
        with (
            dg.partition_loading_context(dynamic_partitions_store=self.instance),
            dg.build_sensor_context(
                self.instance,
                resources={"studio": studio},
                repository_def=self.definitions.get_repository_def(),
            ) as context,
        ):
            data = sensor.evaluate_tick(context)
        return list(data.run_requests or ()) or data.skip_message or ""

    def request(self) -> dg.RunRequest:
        """The one run that the sensor asks for."""
        (request,) = self.tick()
        assert isinstance(request, dg.RunRequest)
        return request

    def begin(
        self,
        request: dg.RunRequest,
        more_tags: Mapping[str, str] = MappingProxyType({}),
        status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED,
    ) -> dg.DagsterRun:
        """The run of a request, as the daemon creates it and a worker begins it."""
        assert request.run_key
        assert request.partition_key
        wanted = {tags.PARTITION: request.partition_key, "dagster/run_key": request.run_key}
        return self.run({**request.tags, **wanted, **more_tags}, status)

    def run(
        self,
        run_tags: Mapping[str, str],
        status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED,
    ) -> dg.DagsterRun:
        """A run of the campaign."""
        job = self.definitions.resolve_job_def(self.job)
        return self.instance.create_run_for_job(job, tags=run_tags, status=status)

    def render(self, request: dg.RunRequest, faults: dict[str, Exception] | None = None) -> None:
        """What the steps of the run do."""
        render_edition(
            self.studio,
            request.partition_key or "",
            self.campaign,
            only=shots_of(request),
            faults=faults,
        )

    def carry_out(self, request: dg.RunRequest, faults: dict[str, Exception] | None = None) -> None:
        """The run of a request from beginning to its good end."""
        run = self.begin(request)
        self.render(request, faults)
        self.succeed(run)

    def succeed(self, run: dg.DagsterRun) -> None:
        event = dg.DagsterEvent("PIPELINE_SUCCESS", job_name=self.job)
        self.instance.report_dagster_event(event, run.run_id)

    def wish(self, edition: str = "one") -> str:
        studio = self.studio
        return wish_of(studio, edition_key(studio, self.campaign, edition))


def watched(project: Project, campaign: str = "balls") -> Watched:
    return Watched(project, dg.DagsterInstance.ephemeral(), load(), campaign)


def shots_of(request: dg.RunRequest) -> list[str]:
    """The shots that a request names."""
    (step,) = request.run_config["ops"].values()
    return step["config"]["only"]
