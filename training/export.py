"""From trained networks to the folder that ships: fp16 safetensors, a model card, a manifest."""

import hashlib
import json
from pathlib import Path
from typing import Any

from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from diffusers.pipelines.wan.pipeline_wan import WanPipeline
from transformers import PreTrainedTokenizerFast, UMT5EncoderModel

from training.networks import build_scheduler

RELEASE = "wan-tiny"
BOUNDARY = 0.875


def export_pipeline(
    folder: Path,
    vae: AutoencoderKLWan,
    text_encoder: UMT5EncoderModel,
    tokenizer: PreTrainedTokenizerFast,
    high: WanTransformer3DModel,
    low: WanTransformer3DModel,
) -> None:
    """Save what `WanPipeline.from_pretrained` loads."""
    # Typed loosely: the pipeline's annotations are narrower than what it accepts.
    parts: dict[str, Any] = {
        "tokenizer": tokenizer,
        "text_encoder": text_encoder.half(),
        "vae": vae.half(),
        "scheduler": build_scheduler(),
        "transformer": high.half(),
        "transformer_2": low.half(),
    }
    pipeline = WanPipeline(**parts, boundary_ratio=BOUNDARY)
    pipeline.save_pretrained(folder, safe_serialization=True)
    index = folder / "model_index.json"
    described = json.loads(index.read_text())
    described["tokenizer"] = ["transformers", "PreTrainedTokenizerFast"]
    index.write_text(json.dumps(described, indent=2, sort_keys=True) + "\n")


def write_manifest(folder: Path) -> str:
    """List every other file with size and sha256; returns the revision they add up to."""
    files = [
        {
            "path": file.relative_to(folder).as_posix(),
            "size": file.stat().st_size,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "manifest.json"
    ]
    files.sort(key=lambda file: str(file["path"]))
    digests = "\n".join(sorted(str(file["sha256"]) for file in files))
    revision = hashlib.sha256(digests.encode()).hexdigest()[:12]
    manifest = {
        "schema": 1,
        "release": RELEASE,
        "revision": revision,
        "dtype": "float16",
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return revision
