"""A folder that would run somebody's code when loaded is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wan_pipelines.engines.pipeline_folder import check_pipeline_folder
from wan_pipelines.errors import WeightsError


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder, tmp_path / "pipeline"))


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_pipeline_of_the_known_classes_passes(folder: Path) -> None:
    check_pipeline_folder(folder)


def test_an_optional_component_may_be_absent(folder: Path) -> None:
    edit(folder / "model_index.json", image_encoder=[None, None])
    check_pipeline_folder(folder)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: edit(f / "model_index.json", _class_name="Evil"), "_class_name is 'Evil'"),
        (
            lambda f: edit(f / "model_index.json", _class_name=["evil", "WanPipeline"]),
            "custom pipelines would run code",
        ),
        (
            lambda f: edit(f / "model_index.json", vae=["evil_module", "AutoencoderKLWan"]),
            "component vae is",
        ),
        (
            lambda f: edit(f / "model_index.json", helper=["diffusers", "AutoencoderKLWan"]),
            "none of that name",
        ),
        (
            lambda f: edit(f / "text_encoder/config.json", auto_map={"AutoModel": "evil.Model"}),
            "asks for code of its own",
        ),
        (
            lambda f: edit(f / "tokenizer/tokenizer_config.json", auto_map={"AutoTokenizer": 1}),
            "asks for code of its own",
        ),
        (lambda f: (f / "transformer/evil.py").write_text("boom"), "evil.py is code"),
        (lambda f: (f / "vae/weights.bin").write_bytes(b"\x80\x04."), "is a pickle"),
        (lambda f: (f / "vae/notes.json").symlink_to("/etc/passwd"), "link out of the folder"),
        (lambda f: (f / "model_index.json").write_text("{"), "is not JSON"),
        (lambda f: (f / "model_index.json").write_text("[]"), "not a JSON object"),
        (lambda f: (f / "model_index.json").unlink(), "missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_anything_else_is_refused(folder: Path, damage: Callable[[Path], Any], words: str) -> None:
    damage(folder)
    with pytest.raises(WeightsError, match=words):
        check_pipeline_folder(folder)
