"""What of the package reaches tenants' data: found by looking, so that nothing can be forgotten."""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

import typer
from typer.main import get_command

import wan_pipelines


def modules(room: str) -> Iterator[ModuleType]:
    """All modules of a room."""
    package = import_module(f"{wan_pipelines.__name__}.{room}")
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".migrations" not in found.name and not found.name.endswith("__main__"):
            yield import_module(found.name)


def functions_of(room: str, kind: type) -> dict[str, FunctionType]:
    """Public functions of a room that are given something of that kind, by module and name."""
    found = {}
    for module in modules(room):
        for name, value in vars(module).items():
            is_own = getattr(value, "__module__", "") == module.__name__
            if name.startswith("_") or not inspect.isfunction(value) or not is_own:
                continue
            if any(
                each.annotation is kind for each in inspect.signature(value).parameters.values()
            ):
                found[f"{module.__name__.partition(f'.{room}.')[2]}.{name}"] = value
    return found


def commands(app: typer.Typer) -> set[str]:
    """All commands, a group's own included where it does something."""

    def below(command: Any, path: str) -> Iterator[str]:
        children = getattr(command, "commands", {})
        if not children or command.invoke_without_command:
            yield path
        for name, child in children.items():
            yield from below(child, f"{path} {name}".strip())

    return set(below(get_command(app), ""))
