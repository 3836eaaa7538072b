"""`Campaign`: a brief becomes shots, takes, videos and costs, edition by edition."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import dagster as dg
from pydantic import BaseModel

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.components.campaign_assets import build_assets
from wan_pipelines.components.campaign_keys import CampaignKeys
from wan_pipelines.components.campaign_schedule import build_schedule, editions_of
from wan_pipelines.components.campaign_sensor import build_sensor
from wan_pipelines.components.model_release import engine_key, weights_key
from wan_pipelines.components.places import on_cpu, on_gpu, this_environment
from wan_pipelines.components.scaffolding import CampaignScaffolder


@dg.scaffold_with(CampaignScaffolder)
@dataclass
class Campaign(dg.Component):
    """Prompts, seeds, shapes, tier, tenant, schedule and budget of the videos to be made."""

    brief: Brief
    folder: Path

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        return Brief

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        assert isinstance(attributes, Brief)
        return cls(attributes, Path(context.path))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        keys = CampaignKeys(self.brief.name)
        editions = editions_of(self.brief)
        settings = this_environment()
        can_move = self.brief.can_wait or any(plan.spot_only for plan in settings.plans.values())
        gpu = on_gpu(settings, self.brief.release, self.brief.gpu_class, can_move=can_move)
        upstream = [weights_key(self.brief.release), engine_key(self.brief.release)]
        job = dg.define_asset_job(
            keys.job,
            selection=dg.AssetSelection.assets(*upstream, *keys.all),
            partitions_def=editions,
            description=f"Renders one edition of {self.brief.title}; only what is missing.",
            tags={"wan/campaign": self.brief.name, "dagster/priority": str(self.brief.priority)},
        )
        schedule = build_schedule(self.brief, editions)
        sensor = build_sensor(self.brief, editions)
        return dg.Definitions(
            assets=build_assets(self.brief, keys, editions, gpu=gpu, cpu=on_cpu(settings)),
            jobs=[job],
            schedules=[schedule] if schedule else [],
            sensors=[sensor] if sensor else [],
        )
