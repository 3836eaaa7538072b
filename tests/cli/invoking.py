"""The command line, run in this process."""

from collections.abc import Callable
from functools import cache
from typing import Any

from click.testing import CliRunner, Result
from typer.main import get_command

from tests.support.project import Project
from wan_pipelines.cli.app import app

Wan = Callable[..., Result]


def invoker(project: Project) -> Wan:
    """`wan` with the given arguments, in that deployment; unexpected errors are raised."""

    def wan(*arguments: str, **environment: str) -> Result:
        runner = CliRunner(env={**project.variables, **environment})
        return runner.invoke(_commands(), arguments, catch_exceptions=False)

    return wan


@cache
def _commands() -> Any:
    """All commands, read once: that takes as long as running one."""
    return get_command(app)
