"""How large a release's models are: as their headers say, else as their dimensions count."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wan_pipelines.engines.estimating import text_encoder, transformer, vae
from wan_pipelines.engines.estimating.architecture import (
    Architecture,
    has_configurations,
    read_architecture,
)
from wan_pipelines.errors import EngineError
from wan_pipelines.weights.headers import count_numbers


@dataclass(frozen=True, slots=True)
class Parameters:
    """Numbers that each component consists of."""

    expert: int
    text_encoder: int
    vae: int


@dataclass(frozen=True, slots=True)
class Model:
    """Dimensions and sizes of what a release loads, and where they were found."""

    architecture: Architecture
    parameters: Parameters
    counted_from: Literal["headers", "dimensions"]


def model_of(declared: Architecture | None, folder: Path | None) -> Model:
    """From the weights in `folder` where they are there, else from what the release declares.

    WeightsError when the weights are not those of a Wan pipeline, EngineError when nothing is known
    of them or they are other than declared.
    """
    if folder and has_configurations(folder):
        found = read_architecture(folder)
        _check_declared(declared, found, folder)
        return Model(found, _from_headers(folder), "headers")
    if declared is None:
        raise EngineError(
            "The dimensions of the models are not known: the weights are not here, and the release "
            "declares no `architecture`. Declare it."
        )
    return Model(declared, counted_parameters(declared), "dimensions")


def counted_parameters(architecture: Architecture) -> Parameters:
    """What the dimensions add up to."""
    return Parameters(
        expert=transformer.parameters(architecture.transformer),
        text_encoder=text_encoder.parameters(architecture.text_encoder),
        vae=vae.parameters(architecture.vae),
    )


def _from_headers(folder: Path) -> Parameters:
    return Parameters(
        expert=count_numbers((folder / "transformer").glob("*.safetensors")),
        text_encoder=count_numbers((folder / "text_encoder").glob("*.safetensors")),
        vae=count_numbers((folder / "vae").glob("*.safetensors")),
    )


def _check_declared(declared: Architecture | None, found: Architecture, folder: Path) -> None:
    differences = "; ".join(_differences(declared, found)) if declared else ""
    if differences:
        raise EngineError(
            f"The weights in {folder} are not what the release declares ({differences}). Correct "
            "its `architecture`."
        )


def _differences(declared: Architecture, found: Architecture) -> Iterator[str]:
    said, present = declared.model_dump(), found.model_dump()
    for part, fields in said.items():
        for name, value in fields.items():
            if present[part][name] != value:
                yield f"{part}.{name} is {present[part][name]}, not {value}"
