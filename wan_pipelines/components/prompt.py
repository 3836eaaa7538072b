"""One prompt, typed into the launchpad, becomes one video."""

import dagster as dg
from dagster import AssetExecutionContext
from pydantic import Field

from wan_pipelines.components import metadata
from wan_pipelines.components.places import StepPlace
from wan_pipelines.components.resource import StudioResource
from wan_pipelines.components.runs import run_of
from wan_pipelines.studio.prompts import PromptOrder, render_prompt
from wan_pipelines.studio.settings import Prompts

PROMPT_JOB = "render_prompt"
PROMPT_ASSET = dg.AssetKey(["prompt", "video"])
PROMPT_OP = PROMPT_ASSET.to_python_identifier()


class PromptConfig(dg.Config):
    """What is to be rendered, for whom. The defaults render a small video on a laptop."""

    prompt: str = Field(
        default="a red ball moving left to right on a black background",
        description="What is to be seen, at most 512 characters.",
    )
    negative_prompt: str | None = Field(
        default=None, description="What is not to be seen; empty: what the release recommends."
    )
    seed: int = Field(default=1, ge=0, description="Another seed gives another video.")
    shape: str | None = Field(
        default=None, description="A shape that the release offers; empty: its first."
    )
    frames: int | None = Field(
        default=None, description="4k + 1 frames; empty: what the release recommends."
    )
    tier: str | None = Field(
        default=None, description="A quality tier of the release; empty: its default."
    )
    release: str | None = Field(
        default=None, description="A release of assets/models; empty: the environment's."
    )
    tenant: str | None = Field(default=None, description="Who pays; empty: the environment's.")
    user: str | None = Field(
        default=None,
        description="Who asks, and whose daily quota it counts towards; empty: the environment's.",
    )


def build_prompt_defs(defaults: Prompts, gpu: StepPlace) -> dg.Definitions:
    @dg.asset(
        key=PROMPT_ASSET,
        group_name="prompt",
        kinds={"pytorch", "ffmpeg"},
        owners=["team:producers"],
        pool=gpu.pool,
        op_tags=gpu.tags,
        retry_policy=gpu.retries if gpu.can_vanish else None,
        description=(
            "One video from one prompt. Screened, charged and counted like a campaign's shot; a "
            "prompt that was rendered before is reused."
        ),
    )
    def prompt_video(
        context: AssetExecutionContext, config: PromptConfig, studio: StudioResource
    ) -> dg.MaterializeResult:
        opened = studio.open()
        order = PromptOrder(**config.model_dump())
        published = render_prompt(opened, order, run_of(context), say=context.log.info)
        return dg.MaterializeResult(metadata=metadata.of_videos(opened, published))

    config = PromptConfig(**defaults.model_dump())
    job = dg.define_asset_job(
        PROMPT_JOB,
        selection=dg.AssetSelection.assets(PROMPT_ASSET),
        description="Renders the prompt typed into the launchpad.",
        config={"ops": {PROMPT_OP: {"config": config.model_dump()}}},
    )
    return dg.Definitions(assets=[prompt_video], jobs=[job])
