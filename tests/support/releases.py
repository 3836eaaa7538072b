"""Releases and requests for tests that need some, whichever."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest, Sampling

REVISION = "0123456789abcdef0123456789abcdef01234567"


ARCHITECTURE: Mapping[str, Any] = {
    "transformer": {
        "layers": 2,
        "heads": 2,
        "head_dim": 12,
        "ffn_dim": 48,
        "text_dim": 32,
        "channels": 4,
        "frequencies": 32,
    },
    "text_encoder": {
        "layers": 1,
        "width": 32,
        "heads": 2,
        "head_dim": 16,
        "ffn_dim": 64,
        "vocabulary": 64,
    },
    "vae": {
        "base": 4,
        "decoder_base": 4,
        "latent": 4,
        "multipliers": [1, 2, 2],
        "blocks": 1,
        "halves_time": [True, True],
        "residual": True,
        "pixels": 2,
        "spatial_factor": 8,
    },
}
"""The dimensions of `tests.support.tiny_pipeline`."""


def hub_release(**changes: object) -> Release:
    """A small release whose weights nobody needs: its pin is in the text."""
    attributes: dict[str, object] = {
        "name": "sample",
        "title": "Sample",
        "licence": "Apache-2.0",
        "source": {
            "repository": "somebody/sample",
            "revision": REVISION,
            "files": ["*.json", "*.safetensors"],
            "size_bytes": 1000,
        },
        "boundary_ratio": 0.875,
        "sizes": {
            "multiple_of": 16,
            "offered": [
                {"name": "square", "width": 64, "height": 64},
                {"name": "landscape", "width": 96, "height": 64},
            ],
        },
        "frames": {"min": 5, "max": 81, "default": 9},
        "fps": 16,
        "tiers": {
            "draft": {"steps": 4, "guidance": 1.0},
            "standard": {"steps": 6, "guidance": 2.0, "guidance_2": 1.5},
        },
        "default_tier": "standard",
        "architecture": ARCHITECTURE,
    }
    return Release.model_validate({**attributes, **changes})


def request_for(release: Release, prompt: str, **changes: object) -> RenderRequest:
    """A small clip of that release."""
    fields: dict[str, object] = {
        "release": release.name,
        "release_identity": release.identity,
        "prompt": prompt,
        "negative_prompt": "",
        "seed": 7,
        "width": 64,
        "height": 64,
        "frames": 9,
        "sampling": Sampling(4, 2.0, 1.5, 3.0, "unipc", 32),
    }
    return RenderRequest(**{**fields, **changes})  # pyright: ignore[reportArgumentType]


def shot_for(release: Release, prompt: str, name: str = "", **changes: object) -> Shot:
    """A shot of `request_for`; its name is the prompt unless given."""
    request = request_for(release, prompt, **changes)
    return Shot(name or prompt, request, "standard", 16, ("h264",), {})


def folder_release(folder: Path, **changes: object) -> Release:
    """The same release with weights that lie in `folder`."""
    return hub_release(source={"folder": str(folder)}, **changes)
