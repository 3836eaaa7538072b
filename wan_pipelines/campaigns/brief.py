"""The brief: what a producer writes in `assets/campaigns/<name>/defs.yaml`."""

from collections.abc import Hashable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from wan_pipelines.campaigns.budgets import ALL, Budget
from wan_pipelines.campaigns.deadlines import FinishBy
from wan_pipelines.campaigns.prompts import (
    FrameCount,
    FramesPerSecond,
    PromptEntry,
    Seed,
    ShapeEntry,
    Variables,
)
from wan_pipelines.campaigns.schedules import Schedule
from wan_pipelines.campaigns.texts import Owner, PromptsFile, Slug, Text
from wan_pipelines.errors import InputError
from wan_pipelines.records import Record
from wan_pipelines.yaml_source import load_yaml, read_component

COMPONENT = "wan_pipelines.components.Campaign"
TAG_KEY = r"^([A-Za-z0-9_.-]{1,63}/)?[A-Za-z0-9_.-]{1,63}$"
TAG_VALUE = r"^[A-Za-z0-9_.-]{0,63}$"
USER = r"^[A-Za-z0-9][A-Za-z0-9._@+-]*$"


def _no_repeats(values: Sequence[Hashable]) -> Sequence[Hashable]:
    for position, value in enumerate(values):
        if value in values[:position]:
            raise ValueError(f"{value!r} is listed twice. Remove one of the two")
    return values


Unique = AfterValidator(_no_repeats)


class Brief(Record):
    """A campaign: which videos are to be made, for whom, when, and what they may cost."""

    name: Slug = Field(
        description="Name of the campaign: the name of the folder that the brief lies in.",
        examples=["autumn-catalogue"],
    )
    title: Text = Field(
        default="", description="Name for people; empty: the name.", examples=["Autumn catalogue"]
    )
    description: Text = Field(
        default="",
        description="What the videos are for.",
        examples=["Clips for the product pages of the autumn catalogue."],
    )
    tenant: Slug = Field(description="Who pays.", examples=["demo"])
    user: str = Field(
        pattern=USER,
        max_length=128,
        description="Who asks; counts towards the daily quota of this user.",
        examples=["demo", "mira@example.com"],
    )
    release: str = Field(
        min_length=1, description="The model: a release of assets/models.", examples=["wan-tiny"]
    )
    gpu_class: str | None = Field(
        default=None,
        min_length=1,
        description="The GPU class that renders, one of the environment's; empty: its own choice.",
        examples=["h100"],
    )
    tier: str | None = Field(
        default=None,
        description="Quality tier of the release; empty: its default.",
        examples=["standard"],
    )
    prompts: tuple[PromptEntry, ...] = Field(
        default=(),
        description="The prompts: text, or a record that differs from the rest of the brief. "
        "Either these or a prompts_file.",
        examples=[["a red ball moving left to right on a black background"]],
    )
    prompts_file: PromptsFile | None = Field(
        default=None,
        description="A CSV or JSONL file of prompts in the folder of the brief. CSV columns: "
        "prompt, name, negative_prompt, seeds, shapes, variables.<name>.",
        examples=["prompts.csv"],
    )
    variables: Variables = Field(
        default={},
        description="Values of the variables that prompts use as {name}; a prompt is rendered "
        "with every combination of the values of its variables.",
        examples=[{"colour": ["red", "blue"], "thing": ["ball", "box"]}],
    )
    negative_prompt: Text | None = Field(
        default=None,
        description="What is not to be seen; empty: what the release recommends.",
        examples=["blurry, low quality"],
    )
    seeds: tuple[Seed, ...] = Field(
        default=(),
        description="Every prompt is rendered with each of these seeds. Either these or variants.",
        examples=[[1, 2, 3]],
    )
    variants: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=10_000,
        description="Every prompt is rendered this many times, each with a seed of its own that "
        "stays the same from edition to edition; empty without seeds: once.",
        examples=[4],
    )
    shapes: Annotated[tuple[ShapeEntry, ...], Unique] = Field(
        default=(),
        description="Every prompt is rendered in each of these: names of shapes that the release "
        "offers, or width and height; empty: the first shape of the release.",
        examples=[["landscape", "square"], [{"width": 832, "height": 480}]],
    )
    frames: FrameCount | None = Field(
        default=None,
        description="Number of frames, 4k + 1; empty: what the release recommends.",
        examples=[81],
    )
    fps: FramesPerSecond | None = Field(
        default=None,
        description="Frames a second of the files; empty: what the release was trained on.",
        examples=[16],
    )
    renditions: Annotated[tuple[Slug, ...], Unique] = Field(
        default=("h264",),
        min_length=1,
        description="Files that are made of every video; a poster and a preview come with them.",
        examples=[["h264", "h264-half"]],
    )
    priority: int = Field(
        default=0,
        strict=True,
        ge=-100,
        le=100,
        description="Of a tenant's campaigns, those of higher priority get its next free GPU.",
        examples=[10],
    )
    finish_by: FinishBy | None = Field(
        default=None,
        description="When an edition shall be finished: hours after its launch, or a time of day. "
        "It goes before its tenant's other campaigns when that becomes urgent; empty: whenever.",
        examples=[{"hours": 12}, {"time": "08:00", "time_zone": "Europe/Berlin"}],
    )
    can_wait: bool = Field(
        default=False,
        description="Does it render where that is cheap: on spot capacity of the same hardware, "
        "and at night? With `finish_by` it moves to on-demand GPUs in time.",
        examples=[True],
    )
    schedule: Schedule | None = Field(
        default=None,
        description="When editions begin by themselves; empty: they are launched by hand.",
        examples=[{"cron": "0 3 * * *", "time_zone": "Europe/Berlin", "start": "2026-11-01"}],
    )
    budget_usd: Decimal | None = Field(
        default=None,
        gt=0,
        max_digits=14,
        decimal_places=6,
        description="What an edition may cost, in US dollars, loading and waiting included.",
        examples=["25.00"],
    )
    over_budget: Literal["finish", "notify"] = Field(
        default="finish",
        description="What happens at the budget: `finish` admits no shot that is expected to "
        "exceed it, and begins none once it is used up; `notify` renders on, and says so.",
    )
    budget: Budget | None = Field(
        default=None,
        description="As `budget_usd`, with the parts of it at which something happens.",
        examples=[{"usd": "25.00", "notify_at": ["0.5", "0.9"], "stop_at": "1.1"}],
    )
    budget_per_month: Budget | None = Field(
        default=None,
        description="What all editions may cost a month together, in the tenant's time zone.",
        examples=[{"usd": "400.00"}],
    )
    rerender: Literal["on_change", "manual"] = Field(
        default="on_change",
        description="Are shots of the latest edition rendered again by themselves when their "
        "prompt, brief or release changes, or their files are lost?",
        examples=["manual"],
    )
    owners: tuple[Owner, ...] = Field(
        default=(),
        description="Who answers for the campaign: teams (team:films) or e-mail addresses.",
        examples=[["team:films", "mira@example.com"]],
    )
    tags: dict[Annotated[str, Field(pattern=TAG_KEY)], Annotated[str, Field(pattern=TAG_VALUE)]] = (
        Field(
            default={},
            description="Labels by which the campaign is found in the UI.",
            examples=[{"season": "autumn"}],
        )
    )

    @model_validator(mode="before")
    @classmethod
    def _title_from_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("name"), str):
            return {"title": data["name"], **data}
        return data

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if bool(self.prompts) == (self.prompts_file is not None):
            raise ValueError("Give either `prompts` or a `prompts_file`")
        if self.seeds and self.variants is not None:
            raise ValueError("Give either `seeds` or a number of `variants`, not both")
        if self.budget and self.budget_usd is not None:
            raise ValueError("Give either a `budget` or `budget_usd`, not both")
        return self

    @property
    def edition_budget(self) -> Budget | None:
        """What an edition may cost, whichever way that is written."""
        if self.budget_usd is None:
            return self.budget
        return Budget(usd=self.budget_usd, finish_at=ALL if self.over_budget == "finish" else None)


def read_brief(path: Path) -> Brief:
    """The brief of one defs.yaml; InputError names file, line, field, value and remedy."""
    brief = read_component(path, Brief, COMPONENT)
    folder = path.resolve().parent.name
    if brief.name != folder:
        raise InputError(
            f"`attributes.name` is {brief.name!r}, but the folder is {folder!r}.",
            where=load_yaml(path).where(("attributes", "name")),
            remedy="Give both the same name.",
        )
    return brief


def read_briefs(assets: Path) -> dict[str, Brief]:
    """All briefs of `<assets>/campaigns/<name>/defs.yaml`, by name."""
    paths = sorted((assets / "campaigns").glob("*/defs.yaml"))
    return {brief.name: brief for brief in map(read_brief, paths)}
