"""`Environment`: what the graph runs against."""

from dataclasses import dataclass
from typing import Self

import dagster as dg
from pydantic import BaseModel

from wan_pipelines.components.budgets import budget_sensor
from wan_pipelines.components.cost_reports import build_cost_report_defs
from wan_pipelines.components.executor import local_executor
from wan_pipelines.components.json_io import JsonIOManager
from wan_pipelines.components.leftovers import leftover_sensors
from wan_pipelines.components.nightly import build_nightly_defs
from wan_pipelines.components.places import on_cpu, on_gpu
from wan_pipelines.components.pods_executor import pods_executor
from wan_pipelines.components.prompt import build_prompt_defs
from wan_pipelines.components.resource import StudioDoor
from wan_pipelines.components.scaffolding import EnvironmentScaffolder
from wan_pipelines.places import project_root, state_folder
from wan_pipelines.studio.settings import Settings


@dg.scaffold_with(EnvironmentScaffolder)
@dataclass
class Environment(dg.Component):
    """One environment: store, ledger, prices, plans, workers."""

    settings: Settings

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        return Settings

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:  # noqa: ARG003
        assert isinstance(attributes, Settings)
        return cls(attributes)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        settings = self.settings
        studio = StudioDoor(project_root(), state_folder(), settings.name)
        can_move = any(plan.spot_only for plan in settings.plans.values())
        prompt_gpu = on_gpu(settings, settings.prompts.release, can_move=can_move)
        return dg.Definitions.merge(
            build_prompt_defs(settings.prompts, prompt_gpu, on_cpu(settings)),
            build_nightly_defs(),
            build_cost_report_defs(settings.costs),
            dg.Definitions(
                resources={"studio": studio, "io_manager": JsonIOManager(studio)},
                executor=executor_of(settings),
                sensors=[
                    budget_sensor,
                    *(leftover_sensors(settings.kubernetes) if settings.kubernetes else ()),
                ],
            ),
        )


def executor_of(settings: Settings) -> dg.ExecutorDefinition:
    """Pods of the cluster if there is one, else processes of this machine."""
    if settings.kubernetes:
        return pods_executor(settings, settings.kubernetes)
    return local_executor(settings.name, settings.workers.count, settings.rendering_class.device)
