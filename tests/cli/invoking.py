"""The command line, run in this process."""

from collections.abc import Callable

from click.testing import Result
from typer.testing import CliRunner

from tests.support.project import Project
from wan_pipelines.cli.app import app

Wan = Callable[..., Result]


def invoker(project: Project) -> Wan:
    """`wan` with the given arguments, in that deployment; unexpected errors are raised."""

    def wan(*arguments: str, **environment: str) -> Result:
        runner = CliRunner(env={**project.variables, **environment})
        return runner.invoke(app, arguments, catch_exceptions=False)

    return wan
