"""One prompt, typed into the launchpad, becomes one video."""

from typing import Any

import dagster as dg
from dagster import OpExecutionContext
from pydantic import Field

from wan_pipelines.components import metadata
from wan_pipelines.components.places import StepPlace
from wan_pipelines.components.resource import StudioResource
from wan_pipelines.components.runs import lasting_errors_told, run_of
from wan_pipelines.studio.launch_settings import Prompts
from wan_pipelines.studio.prompts import PromptOrder, admit_prompt, render_prompt
from wan_pipelines.studio.shot_view import state_of

PROMPT_JOB = "render_prompt"
PROMPT_ASSET = dg.AssetKey(["prompt", "video"])
PROMPT_OP = PROMPT_ASSET.to_python_identifier()
RENDER_OP = f"{PROMPT_OP}__render"
RENDER_STEP = f"{PROMPT_OP}.{RENDER_OP}"


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


def build_prompt_defs(defaults: Prompts, gpu: StepPlace, cpu: StepPlace) -> dg.Definitions:
    estimate, render = _estimate(cpu), _render(gpu)

    @dg.config_mapping(config_schema=PromptConfig.to_fields_dict())
    def orders(order: dict[str, Any]) -> dict[str, Any]:
        return {estimate.name: {"config": order}}

    @dg.graph_asset(
        key=PROMPT_ASSET,
        group_name="prompt",
        kinds={"pytorch", "ffmpeg"},
        owners=["team:producers"],
        config=orders,
        description=(
            "One video from one prompt. Screened, charged and counted like a campaign's shot; a "
            "prompt that was rendered before is reused. What it is expected to take is told, and "
            "reserved, before a GPU is asked for."
        ),
    )
    def prompt_video():
        return render(estimate())

    config = PromptConfig(**defaults.model_dump())
    job = dg.define_asset_job(
        PROMPT_JOB,
        selection=dg.AssetSelection.assets(PROMPT_ASSET),
        description="Renders the prompt typed into the launchpad.",
        config={"ops": {PROMPT_OP: {"config": config.model_dump()}}},
    )
    return dg.Definitions(assets=[prompt_video], jobs=[job])


def _estimate(cpu: StepPlace) -> dg.OpDefinition:
    @dg.op(
        name=f"{PROMPT_OP}__estimate",
        tags=cpu.tags,
        retry_policy=cpu.retries,
        description="Says what the prompt is expected to take, and reserves it, or refuses it; "
        "what is to be rendered takes its turn at the GPUs.",
    )
    def estimate(
        context: OpExecutionContext, config: PromptConfig, studio: StudioResource
    ) -> dict[str, Any]:
        order = config.model_dump()
        with lasting_errors_told():
            asked = PromptOrder(**order)
            plan = admit_prompt(studio.open(), asked, context.run_id, say=context.log.info)
        told = dg.AssetObservation(PROMPT_ASSET, metadata=metadata.of_plan(plan))
        context.log_event(told)
        return order

    return estimate


def _render(gpu: StepPlace) -> dg.OpDefinition:
    @dg.op(
        name=RENDER_OP,
        pool=gpu.pool,
        tags=gpu.tags,
        retry_policy=gpu.retries if gpu.can_vanish else None,
        description="Renders the prompt, and publishes the video.",
    )
    def render(
        context: OpExecutionContext, studio: StudioResource, order: dict[str, Any]
    ) -> dg.Output[None]:
        opened = studio.open()
        say = context.log.info
        published = render_prompt(opened, PromptOrder(**order), run_of(context), say=say)
        if gpu.can_vanish and any(state_of(shot) == "waiting" for shot in published.shots):
            context.log.info("The prompt is left for another pod.")
            raise gpu.elsewhere()
        return dg.Output(None, metadata=metadata.of_videos(opened, published))

    return render
