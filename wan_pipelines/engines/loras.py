"""Low-rank weights that a tier adds to the experts: found, loaded whole, switched per request."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

from wan_pipelines.engines.release_parts import Lora
from wan_pipelines.engines.releases import NOTHING_FETCHED, Release
from wan_pipelines.engines.sourcing import lora_source
from wan_pipelines.errors import EngineError
from wan_pipelines.weights.manifest import verify
from wan_pipelines.weights.mirrored import Supply


@dataclass(frozen=True, slots=True)
class LoraFile:
    """A declared LoRA and where it lies on this machine."""

    lora: Lora
    path: Path


def ensure_loras(
    release: Release, cache: Path, supply: Supply = NOTHING_FETCHED, *, digests: bool = True
) -> tuple[LoraFile, ...]:
    """Every LoRA of every tier as a verified local file; WeightsError when one cannot be had."""
    files: list[LoraFile] = []
    for lora in release.all_loras:
        folder = lora_source(release, lora, supply).ensure(cache)
        verify(folder.path, folder.manifest, digests=digests and not folder.verified)
        files.append(LoraFile(lora, folder.path / lora.file))
    return tuple(files)


class LoraSwitch:
    """The LoRAs of a loaded pipeline, of which a request uses some or none."""

    def __init__(self, pipeline: Any, files: Sequence[LoraFile]) -> None:
        if files and util.find_spec("peft") is None:
            raise EngineError(
                "The release has tiers with LoRAs, and peft is not installed. "
                "Install wan-pipelines[loras]."
            )
        self._pipeline = pipeline
        self._names = {file.lora: f"lora_{index}" for index, file in enumerate(files)}
        for file in files:
            self._load(file)
        self._in_use: tuple[Lora, ...] | None = None

    def use(self, loras: tuple[Lora, ...]) -> None:
        """Makes exactly these count from the next forward on."""
        if not self._names or loras == self._in_use:
            return
        for expert, model in self._experts.items():
            chosen = [lora for lora in loras if lora.expert == expert]
            if chosen:
                model.enable_adapters()
                model.set_adapters(
                    [self._names[lora] for lora in chosen], [lora.scale for lora in chosen]
                )
            elif any(lora.expert == expert for lora in self._names):
                model.disable_adapters()
        self._in_use = loras

    def in_use(self) -> tuple[Lora, ...]:
        """What counts at the next forward."""
        return self._in_use or ()

    @property
    def _experts(self) -> dict[str, Any]:
        return {"high": self._pipeline.transformer, "low": self._pipeline.transformer_2}

    def _load(self, file: LoraFile) -> None:
        try:
            self._pipeline.load_lora_weights(
                file.path.parent,
                weight_name=file.path.name,
                adapter_name=self._names[file.lora],
                load_into_transformer_2=file.lora.expert == "low",
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise EngineError(
                f"{file.path} does not load into the {file.lora.expert}-noise expert: the LoRA is "
                f"damaged or belongs to another model. {error}"
            ) from error
        self._check_complete(file)

    def _check_complete(self, file: LoraFile) -> None:
        """diffusers only warns about tensors that fit nowhere; the pixels would be wrong."""
        from peft.utils import get_peft_model_state_dict

        offered = self._pipeline.lora_state_dict(file.path.parent, weight_name=file.path.name)
        taken = get_peft_model_state_dict(
            self._experts[file.lora.expert], adapter_name=self._names[file.lora]
        )
        if len(taken) != len(offered):
            raise EngineError(
                f"{file.path}: only {len(taken)} of {len(offered)} tensors fit the "
                f"{file.lora.expert}-noise expert: the LoRA belongs to another model."
            )
