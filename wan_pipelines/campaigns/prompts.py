"""What a brief says about one prompt, inline or in a row of the file beside it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag

from wan_pipelines.campaigns.texts import PromptText, Slug, Text, VariableName, VariableValue
from wan_pipelines.records import Record

FrameCount = Annotated[int, Field(strict=True, gt=0)]
FramesPerSecond = Annotated[int, Field(strict=True, ge=1, le=120)]
Pixels = Annotated[int, Field(strict=True, gt=0, le=16384)]


class Shape(Record):
    """A shape that the release does not offer by name."""

    name: Slug | None = Field(
        default=None,
        description="What shots of this shape are called; empty: from its numbers.",
        examples=["banner"],
    )
    width: Pixels = Field(description="Pixels.", examples=[832])
    height: Pixels = Field(description="Pixels.", examples=[480])
    frames: FrameCount | None = Field(
        default=None, description="Number of frames, 4k + 1; empty: as in the brief.", examples=[81]
    )
    fps: FramesPerSecond | None = Field(
        default=None,
        description="Frames a second of the files; empty: as in the brief.",
        examples=[16],
    )


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str | int) and not isinstance(value, bool) else value


def as_prompt(value: Any) -> Any:
    """A prompt that is only text, as the record it stands for."""
    return {"prompt": value} if isinstance(value, str) else value


Seed = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
ShapeEntry = Annotated[
    Annotated[str, Tag("name")] | Annotated[Shape, Tag("shape")],
    Discriminator(lambda value: "name" if isinstance(value, str) else "shape"),
]
Values = Annotated[
    tuple[VariableValue, ...],
    Field(min_length=1),
    BeforeValidator(_as_tuple, json_schema_input_type=VariableValue | tuple[VariableValue, ...]),
]
Variables = Mapping[VariableName, Values]


class Prompt(Record):
    """A prompt, and what is different about it from the rest of the brief."""

    prompt: PromptText = Field(
        description="What is to be seen. `{name}` stands for each value of the variable `name`.",
        examples=["a {colour} ball moving left to right on a black background"],
    )
    name: Slug | None = Field(
        default=None,
        description="What its shots are called; empty: from its words. A name stays when the "
        "wording changes, and so do the seeds that `variants` asks for.",
        examples=["hero"],
    )
    negative_prompt: Text | None = Field(
        default=None,
        description="What is not to be seen; empty: as in the brief.",
        examples=["blurry, low quality"],
    )
    seeds: tuple[Seed, ...] | None = Field(
        default=None,
        min_length=1,
        description="Seeds instead of the brief's seeds or variants.",
        examples=[[7, 8]],
    )
    shapes: tuple[ShapeEntry, ...] | None = Field(
        default=None,
        min_length=1,
        description="Shapes instead of the brief's.",
        examples=[["square"]],
    )
    variables: Variables = Field(
        default={},
        description="Values instead of those that the brief gives for the same variables.",
        examples=[{"colour": ["red", "blue"]}],
    )


PromptEntry = Annotated[
    Prompt, BeforeValidator(as_prompt, json_schema_input_type=PromptText | Prompt)
]
