"""Writes the JSON schemas in `docs/`: of the YAML that people write, and of video manifests."""

import json
from pathlib import Path

from pydantic import BaseModel

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.encoding.manifest import write_schema
from wan_pipelines.engines.releases import Release
from wan_pipelines.studio.settings import Settings

COMPONENTS: dict[str, type[BaseModel]] = {
    "Campaign": Brief,
    "Environment": Settings,
    "ModelRelease": Release,
}


def schema_of(component: str) -> dict[str, object]:
    """The schema of a whole `defs.yaml` of that component type."""
    attributes = COMPONENTS[component].model_json_schema()
    definitions = attributes.pop("$defs", {})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": component,
        "type": "object",
        "additionalProperties": False,
        "required": ["type", "attributes"],
        "properties": {
            "type": {"const": f"wan_pipelines.components.{component}"},
            "attributes": attributes,
        },
        "$defs": definitions,
    }


def schema_path(folder: Path, component: str) -> Path:
    return folder / f"{component}.schema.json"


def write_schemas(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for component in COMPONENTS:
        text = json.dumps(schema_of(component), indent=2, ensure_ascii=False) + "\n"
        schema_path(folder, component).write_text(text)


if __name__ == "__main__":
    docs = Path(__file__).parents[1] / "docs"
    write_schemas(docs / "schemas")
    write_schema(docs)
