"""The schemas in `docs/` are those of the code, and the shipped YAML conforms to them."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from wan_pipelines.places import project_root
from wan_pipelines.schemas import COMPONENTS, schema_of, schema_path, write_schemas

SHIPPED = sorted(
    [*project_root().glob("assets/*/*/defs.yaml"), *project_root().glob("resources/*/defs.yaml")]
)


def test_the_schemas_in_docs_are_current(tmp_path: Path) -> None:
    write_schemas(tmp_path)
    for component in COMPONENTS:
        shipped = schema_path(project_root() / "docs" / "schemas", component)
        assert shipped.read_text() == schema_path(tmp_path, component).read_text(), "make schemas"


def document_of(path: Path) -> Any:
    """The YAML as editors see it: dates are text."""
    return json.loads(json.dumps(yaml.safe_load(path.read_text()), default=str))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_shipped_yaml_conforms(path: Path) -> None:
    document = document_of(path)
    component = document["type"].rpartition(".")[2]
    jsonschema.validate(document, schema_of(component))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_an_unknown_field_does_not_conform(path: Path) -> None:
    document = document_of(path)
    document["attributes"]["colour_of_the_sky"] = "blue"
    with pytest.raises(jsonschema.ValidationError, match="colour_of_the_sky"):
        jsonschema.validate(document, schema_of(document["type"].rpartition(".")[2]))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_shipped_yaml_names_its_schema(path: Path) -> None:
    component = document_of(path)["type"].rpartition(".")[2]
    first, _, _ = path.read_text().partition("\n")
    named = (path.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve()
    assert named == schema_path(project_root() / "docs" / "schemas", component)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_field_says_what_it_is(component: str) -> None:
    attributes = schema_of(component)["properties"]["attributes"]  # type: ignore[index]
    for name, field in attributes["properties"].items():
        assert field.get("description"), f"{component}.{name}"
