"""The command `wan` and its subcommands."""

from typing import Annotated, Any

import click
import typer
from typer.core import TyperGroup

from wan_pipelines import __version__
from wan_pipelines.cli import (
    accounts,
    budgets,
    campaigns,
    charges,
    cluster,
    dev,
    engine,
    exporter,
    forecasts,
    idle,
    invoices,
    line,
    lineage,
    machine,
    prices,
    prompts,
    queueing,
    renders,
    reports,
    results,
    simulate,
    upkeep,
    weights,
    workers,
)
from wan_pipelines.cli.output import complain, examples
from wan_pipelines.errors import WanError
from wan_pipelines.validation import shown

FAILED = 1
INTERRUPTED = 130


class PlainSpoken(TyperGroup):
    """Tells in a sentence, not a traceback, what a person can put right."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for argument in args:
            try:
                argument.encode()
            except UnicodeEncodeError as error:
                raise click.UsageError(f"{shown(argument)} is not UTF-8.", ctx) from error
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except WanError as error:
            complain(str(error))
            raise typer.Exit(FAILED) from error
        except KeyboardInterrupt as interrupt:
            complain("Stopped. What was accepted is kept: run the same command again to go on.")
            raise typer.Exit(INTERRUPTED) from interrupt


app = typer.Typer(
    name="wan",
    cls=PlainSpoken,
    help="Campaigns of AI videos: plan them, render them, see what they cost.",
    epilog=examples(
        "wan demo                 renders a dozen videos, and says where they are",
        "wan plan autumn          what would be rendered, reused, refused",
        "wan run autumn           renders it",
        "wan COMMAND --help       examples of each command",
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
GROUPS = (
    campaigns,
    renders,
    queueing,
    prompts,
    results,
    forecasts,
    reports,
    lineage,
    accounts,
    budgets,
    prices,
    charges,
    idle,
    invoices,
    machine,
    dev,
    engine,
    workers,
    line,
    upkeep,
    weights,
    exporter,
    cluster,
    simulate,
)
for group in GROUPS:
    group.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wan_pipelines {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Campaigns of AI videos: plan them, render them, see what they cost."""
    del version  # its callback has answered


def main() -> None:
    """Run the command."""
    app()
