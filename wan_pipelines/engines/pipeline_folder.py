"""Is a folder a Wan pipeline that can be loaded without running anybody's code?"""

import json
from pathlib import Path
from typing import Any

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.inspection import inspect_folder

CONFIG_LIMIT_BYTES = 4 * 1024**2

KNOWN_COMPONENTS: dict[str, frozenset[tuple[str, str]]] = {
    "scheduler": frozenset(
        {
            ("diffusers", "UniPCMultistepScheduler"),
            ("diffusers", "FlowMatchEulerDiscreteScheduler"),
        }
    ),
    "text_encoder": frozenset({("transformers", "UMT5EncoderModel")}),
    "tokenizer": frozenset(
        {
            ("transformers", "T5Tokenizer"),
            ("transformers", "T5TokenizerFast"),
            ("transformers", "PreTrainedTokenizerFast"),
        }
    ),
    "transformer": frozenset({("diffusers", "WanTransformer3DModel")}),
    "transformer_2": frozenset({("diffusers", "WanTransformer3DModel")}),
    "vae": frozenset({("diffusers", "AutoencoderKLWan")}),
}


def check_pipeline_folder(folder: Path, pipeline: str = "WanPipeline") -> None:
    """WeightsError for pickles, code, links out of the folder, and classes we do not know.

    `pipeline` is the class of diffusers that the folder is to be of.
    """
    problems = inspect_folder(folder)
    if problems:
        raise WeightsError(f"{folder} is not loaded: " + "; ".join(map(str, problems)))
    index = read_config(folder / "model_index.json")
    if index.get("_class_name") != pipeline:
        raise WeightsError(
            f"{folder}/model_index.json: _class_name is {index.get('_class_name')!r}. Only "
            f"{pipeline!r} is loaded; custom pipelines would run code from the folder."
        )
    for role, entry in index.items():
        if isinstance(entry, list) and any(entry):
            _check_component(folder, role, entry)
    for path in sorted(folder.glob("*/*config.json")):
        if "auto_map" in read_config(path):
            raise WeightsError(f"{path} asks for code of its own (auto_map). Remove the entry.")


def _check_component(folder: Path, role: str, entry: list[Any]) -> None:
    known = KNOWN_COMPONENTS.get(role, frozenset())
    if tuple(entry) not in known:
        wanted = " or ".join(".".join(pair) for pair in sorted(known)) or "none of that name"
        raise WeightsError(
            f"{folder}/model_index.json: component {role} is {entry!r}; a Wan pipeline has "
            f"{wanted} there. Use the published repository."
        )


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object of bounded size; WeightsError for anything else."""
    if not path.is_file() or path.stat().st_size > CONFIG_LIMIT_BYTES:
        raise WeightsError(f"{path} is missing or too large to be a configuration.")
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        raise WeightsError(f"{path} is not JSON ({error}). Fetch the weights again.") from error
    if not isinstance(data, dict):
        raise WeightsError(f"{path} is not a JSON object. Fetch the weights again.")
    return data
