"""The command `wan` and its subcommands."""

import os
import sys

import typer

from wan_pipelines.cli import accounts, campaigns, lineage, machine, renders, results
from wan_pipelines.cli.output import complain
from wan_pipelines.errors import WanError

app = typer.Typer(
    name="wan",
    help="Campaigns of AI videos: plan them, render them, see what they cost.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (renders, campaigns, results, lineage, accounts, machine):
    group.register(app)

INTERRUPTED = 130


def main() -> None:
    """Run the command; what a person can put right is told in a sentence, not a traceback."""
    try:
        app()
    except WanError as error:
        complain(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        complain("Stopped. What was accepted is kept: run the same command again to go on.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
