"""Runs of the graph in this process: the steps are real, the engine draws gradients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest

from tests.support.project import Project
from wan_pipelines.components.campaign_keys import CampaignKeys
from wan_pipelines.definitions import load
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.studio import shards
from wan_pipelines.studio.render_here import render_here
from wan_pipelines.studio.shard_records import ShardSummary
from wan_pipelines.studio.studio import Studio


@dataclass(frozen=True)
class Launches:
    """Launches campaigns and prompts of a project; `faults` as the null engine takes them."""

    project: Project
    instance: dg.DagsterInstance
    faults: dict[str, Exception]

    def campaign(
        self,
        edition: str = "one",
        only: Sequence[str] = (),
        campaign: str = "balls",
        *,
        exact: bool = False,
    ) -> dg.ExecuteInProcessResult:
        """A run of an edition, of all its shots or of those that are named."""
        keys = CampaignKeys(campaign)
        self.instance.add_dynamic_partitions(f"{campaign}_editions", [edition])
        config = {"ops": {keys.shots_op: {"config": {"only": list(only), "exact": exact}}}}
        return self._run(keys.job, run_config=config, partition_key=edition)

    def prompt(self, **config: Any) -> dg.ExecuteInProcessResult:
        """A run of the prompt job with the given fields; the others have their defaults."""
        return self._run("render_prompt", run_config={"ops": {"prompt__video": {"config": config}}})

    def _run(self, job: str, **how: Any) -> dg.ExecuteInProcessResult:
        definition = load().resolve_job_def(job)
        return definition.execute_in_process(instance=self.instance, raise_on_error=False, **how)


def jobs_of(definitions: dg.Definitions) -> set[str]:
    """Names of all jobs."""
    return {job.name for job in definitions.resolve_all_job_defs()}


def launches(
    project: Project, patch: pytest.MonkeyPatch, instance: dg.DagsterInstance | None = None
) -> Launches:
    """On an instance of its own unless one is given."""
    faults: dict[str, Exception] = {}

    def open_engine(studio: Studio, release: str) -> NullEngine:
        return NullEngine(studio.release(release), faults)

    def render(*arguments: Any, **named: Any) -> ShardSummary:
        return render_here(*arguments, **named, open_engine=open_engine).summary

    patch.setattr(shards, "render_supervised", render)
    return Launches(project, instance or dg.DagsterInstance.ephemeral(), faults)


def metadata_of(result: dg.ExecuteInProcessResult, *key: str) -> Mapping[str, Any]:
    """The metadata with which an asset was materialized, as plain values."""
    (found,) = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(list(key))
    ]
    return {name: value.value for name, value in found.metadata.items()}


def keys_of(result: dg.ExecuteInProcessResult) -> set[dg.AssetKey]:
    """The assets that a run materialized."""
    return {e.asset_key for e in result.get_asset_materialization_events() if e.asset_key}


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """What the checks of a run said, by name."""
    return {found.check_name: found for found in result.get_asset_check_evaluations()}


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """The words of the first cause of a failed run."""
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    error = failed.step_failure_data.error
    while error and error.cause:
        error = error.cause
    return error.message if error else ""
