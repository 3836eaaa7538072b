"""Briefs and a release for the tests of campaigns."""

from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from tests.support.releases import hub_release
from wan_pipelines.campaigns.brief import Brief

RELEASE = hub_release(
    name="toy",
    sizes={
        "multiple_of": 16,
        "offered": [
            {"name": "landscape", "width": 96, "height": 64},
            {"name": "square", "width": 64, "height": 64},
        ],
    },
    frames={"min": 9, "max": 33, "default": 17},
    fps=8,
    default_negative_prompt="blurry",
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
