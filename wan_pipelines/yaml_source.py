"""YAML that people wrote: loaded safely, every node with its line, every error with its place.

Accepted is one document of plain data. Refused, with file and line: files over `MAX_BYTES`,
a key written twice, tags that build objects, anchors and aliases, nesting beyond `MAX_DEPTH`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from wan_pipelines.errors import InputError
from wan_pipelines.text_files import read_utf8
from wan_pipelines.validation import Location, Model, shown, validated

MAX_BYTES = 4 * 2**20
MAX_DEPTH = 32

_TEXT_TAG = "tag:yaml.org,2002:str"


class _Loader(yaml.CSafeLoader):  # reads a megabyte in a second; the one in Python takes ten
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(
                None, None, f"{shown(node.value)} has no value ({error})", node.start_mark
            ) from error


@dataclass(frozen=True, slots=True)
class YamlSource:
    """The data of a YAML file, and the line on which each of its nodes begins."""

    path: Path
    data: Any
    lines: Mapping[Location, int]

    def where(self, location: Location = ()) -> str:
        """ "file:line" of a location, or of the nearest one around it that is in the file."""
        while location and location not in self.lines:
            location = location[:-1]
        return f"{self.path}:{self.lines.get(location, 1)}"


class _ComponentFile(BaseModel):
    """The keys that Dagster knows in a defs.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    attributes: dict[str, Any] = {}
    template_vars_module: str | None = None
    requirements: dict[str, Any] | None = None
    post_processing: dict[str, Any] | None = None


def load_yaml(path: Path) -> YamlSource:
    """The one document of the file."""
    text = read_utf8(path, MAX_BYTES)
    try:
        _check_events(path, text)
        loader = _Loader(text)
        node = loader.get_single_node()
        lines: dict[Location, int] = {}
        _record_lines(path, node, (), lines)
        data = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        raise _explained(path, text, error) from error
    return YamlSource(path, data, lines)


def read_component(path: Path, model: type[Model], component: str) -> Model:
    """The `attributes` of a Dagster component file whose `type` is `component`."""
    source = load_yaml(path)
    file = validated(_ComponentFile, source.data, source.where)
    if file.type != component:
        raise InputError(
            f"`type` is {shown(file.type)}.",
            where=source.where(("type",)),
            remedy=f"Expected is {component}.",
        )
    return validated(
        model,
        file.attributes,
        lambda location: source.where(("attributes", *location)),
        prefix=("attributes",),
    )


def component_type(path: Path) -> str:
    """The `type` of a Dagster component file; its attributes may be anything."""
    source = load_yaml(path)
    return validated(_ComponentFile, source.data, source.where).type


def _explained(path: Path, text: str, error: yaml.YAMLError) -> InputError:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.encode()[: error.position].count(b"\n") + 1
        return InputError(
            f"The character U+{error.character:04X} may not stand in YAML.",
            where=f"{path}:{line}",
            remedy="Remove it, or write it as an escape in double quotes.",
        )
    problem = str(error)
    where = str(path)
    if isinstance(error, yaml.MarkedYAMLError):
        problem = ", ".join(filter(None, (error.context, error.problem)))
        where = f"{path}:{error.problem_mark.line + 1}" if error.problem_mark else where
    return InputError(
        f"This is not YAML: {problem}.",
        where=where,
        remedy="Check indentation and colons near this line; text that begins with a bracket, a "
        "brace or a quote, or contains a colon, needs quotes around it.",
    )


def _check_events(path: Path, text: str) -> None:
    """Refuses, before anything is built, what makes a small file large or the stack deep."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InputError(
                f"Anchors and aliases ({shown(event.anchor)}) are not supported.",
                where=f"{path}:{event.start_mark.line + 1}",
                remedy="Write the value out.",
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise InputError(
                f"Values are nested more than {MAX_DEPTH} deep.",
                where=f"{path}:{event.start_mark.line + 1}",
                remedy="Nothing here needs that: check brackets and indentation.",
            )


def _record_lines(
    path: Path, node: yaml.Node | None, location: Location, lines: dict[Location, int]
) -> None:
    if node is None:
        return
    lines.setdefault(location, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _record_lines(path, item, (*location, index), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag != _TEXT_TAG:
                raise InputError(
                    f"The key {shown(key.value)} is not text.",
                    where=f"{path}:{line}",
                    remedy="Put quotes around words such as no, on or 12.",
                )
            inner = (*location, key.value)
            if inner in lines:
                raise InputError(
                    f"The key {shown(key.value)} stands here and on line {lines[inner]}.",
                    where=f"{path}:{line}",
                    remedy="Remove one of the two.",
                )
            lines[inner] = line
            _record_lines(path, value, inner, lines)
