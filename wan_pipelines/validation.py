"""Turns what pydantic says about data into one InputError that names place, field and remedy."""

import re
import types
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

_QUOTED = re.compile(r"'([^']*)'")
_SHOWN_CHARACTERS = 80
_MORE_SHOWN = 5
_REMEDIES = {
    "missing": "Add it.",
    "model_type": "Write its fields as `name: value`.",
    "tuple_type": "Write a list: `[one, two]`, or a line that begins with `-` for each.",
    "string_type": "Write text; put quotes around words such as no, on, 12 or 2026-01-31.",
}


def validated(
    model: type[Model],
    data: object,
    where: Callable[[Location], str],
    prefix: Location = (),
) -> Model:
    """`data` as a `model`.

    `where` answers with the place ("file:line") of a location inside `data`; `prefix` is put
    before the names of fields. All problems are reported at once: the first one in full.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = [
            (where(location), location, details)
            for details in error.errors(include_url=False)
            for location in [_location_in(data, details)]
        ]
        raise _input_error(model, problems, prefix) from error


def field_name(location: Iterable[str | int]) -> str:
    """The way people write a location: `prompts[3].seeds[0]`."""
    name = ""
    for part in location:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name


def shown(value: object) -> str:
    """A value as it is quoted in messages: on one line, and not too long."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def _input_error(
    model: type[BaseModel], problems: list[tuple[str, Location, ErrorDetails]], prefix: Location
) -> InputError:
    # A misspelt name explains the field that is missing, so it comes first.
    problems = sorted(problems, key=lambda problem: problem[2]["type"] != "extra_forbidden")
    first, *others = problems
    where, location, details = first
    what = _what(field_name(prefix + location), details)
    remedy = _remedy(model, location, details)
    if others:
        places = "; ".join(
            f"`{field_name(prefix + location)}` ({where})"
            for where, location, _ in others[:_MORE_SHOWN]
        )
        remedy += f" {len(others)} more to correct: {places}"
        remedy += "; …" if len(others) > _MORE_SHOWN else "."
    return InputError(what, where=where, remedy=remedy)


def _what(name: str, details: ErrorDetails) -> str:
    match details["type"]:
        case "missing":
            return f"`{name}` is missing."
        case "extra_forbidden":
            return f"There is no field `{name}`."
        case "model_type":
            return f"{f'`{name}`' if name else 'This'} has no fields."
    if isinstance(details["input"], dict | list):
        return f"`{name}` is not acceptable." if name else "This is not acceptable."
    return f"`{name}` is {shown(details['input'])}."


def _remedy(model: type[BaseModel], location: Location, details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "extra_forbidden":
        return did_you_mean(location[-1], _fields_at(model, location[:-1]))
    sentence = details["msg"].removeprefix("Value error, ").rstrip(".") + "."
    if kind == "literal_error":
        choices = _QUOTED.findall(details.get("ctx", {}).get("expected", ""))
        return f"{sentence} {did_you_mean(details['input'], choices)}"
    return _REMEDIES.get(kind, sentence)


def _location_in(data: object, details: ErrorDetails) -> Location:
    """The location of an error without the names of union members that pydantic mixes in."""
    location: Location = ()
    parts = details["loc"]
    for position, part in enumerate(parts):
        is_missing_field = details["type"] == "missing" and position == len(parts) - 1
        if isinstance(data, dict | list) and not is_missing_field:
            if isinstance(data, dict) and part not in data:
                continue
            data = data[part]  # pyright: ignore
        elif not is_missing_field:
            continue
        location += (part,)
    return location


def _fields_at(model: type[BaseModel], location: Location) -> set[str]:
    """Names of the fields that may stand at a location."""
    models = {model}
    for part in location:
        fields = [m.model_fields[part] for m in models if part in m.model_fields]
        if fields:
            models = {inner for field in fields for inner in _models_in(field.annotation)}
    return {name for model in models for name in model.model_fields}


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return {annotation} if issubclass(annotation, BaseModel) else set()
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        arguments = arguments[:1]
    known = get_origin(annotation) in {Union, types.UnionType, Annotated, tuple, list, dict}
    return {inner for a in arguments for inner in _models_in(a)} if known else set()
