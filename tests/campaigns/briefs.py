"""Briefs and a release for the tests of campaigns."""

from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.engines.releases import Release

RELEASE = Release.model_validate(
    {
        "name": "toy",
        "title": "Toy",
        "licence": "Apache-2.0",
        "source": {
            "repository": "someone/toy",
            "revision": "0123456789abcdef0123456789abcdef01234567",
            "files": ["*.safetensors"],
            "size_bytes": 1,
        },
        "default_negative_prompt": "blurry",
        "sizes": {
            "multiple_of": 16,
            "offered": [
                {"name": "landscape", "width": 96, "height": 64},
                {"name": "square", "width": 64, "height": 64},
            ],
        },
        "frames": {"min": 9, "max": 33, "default": 17},
        "fps": 8,
        "tiers": {
            "draft": {"steps": 4, "guidance": 1.0},
            "standard": {"steps": 12, "guidance": 3.0, "flow_shift": 3.0},
        },
        "default_tier": "standard",
    }
)


def brief(**fields: Any) -> Brief:
    """A valid brief, with these fields."""
    minimal: dict[str, Any] = {"name": "demo", "tenant": "acme", "user": "mira", "release": "toy"}
    if "prompts_file" not in fields:
        minimal["prompts"] = ["a red ball"]
    return Brief.model_validate(minimal | fields)


def write_brief(folder: Path, fields: str, *, prompts: str | None = "[a red ball]") -> Path:
    """A defs.yaml in the folder; the line of the first of the `fields` is 6 (7 with `prompts`)."""
    text = "type: wan_pipelines.components.Campaign\nattributes:\n"
    text += f"  name: {folder.name}\n  tenant: acme\n  user: mira\n  release: toy\n"
    if prompts is not None:
        text += f"  prompts: {prompts}\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "defs.yaml"
    path.write_text(text + indent(dedent(fields), "  "), encoding="utf-8")
    return path
