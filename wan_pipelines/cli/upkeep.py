"""`wan migrate` and `wan ledger`: what an upgrade and a lost disk ask for."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from wan_pipelines.cli.output import AsJson, emit, examples, note
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.from_environment import resolve
from wan_pipelines.ledger.audits import discrepancies
from wan_pipelines.ledger.backups import back_up, restore
from wan_pipelines.ledger.database import go_back
from wan_pipelines.places import below, environment_name, project_root, state_folder
from wan_pipelines.studio.settings import read_settings

File = Annotated[Path, typer.Argument(help="The backup, a single file.")]

TROUBLES = (
    Column("trouble", "Trouble"),
    Column("tenant", "Tenant"),
    Column("name", "Of"),
    Column("words", "What", beneath=True),
)

ledger = typer.Typer(
    name="ledger",
    help="Back the ledger up, restore it, see that it adds up.",
    epilog=examples(
        "wan ledger backup ledger-monday", "wan ledger restore ledger-monday", "wan ledger audit"
    ),
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("wan migrate", "wan migrate --back-to 0005"))(migrate)
    app.add_typer(ledger)


def migrate(
    back_to: Annotated[
        str | None,
        typer.Option(help="Bring the ledger back to this schema, for an older version, instead."),
    ] = None,
) -> None:
    """Bring the ledger and Dagster's databases to the schema of this version.

    Any number may do so at the same time: one does it, the others wait. It costs nothing where
    there is nothing to do. An older version refuses a newer schema: make a backup first, or go
    back with --back-to, which loses what only the newer schema holds and leaves Dagster's as it is.
    """
    if back_to:
        _go_back(back_to)
        return
    from wan_pipelines.components.instance import migrate_instance

    studio = this_studio()
    note(f"The ledger at {studio.ledger.name} is up to date.")
    migrate_instance(studio.state, studio.settings.dagster_storage)
    note("Dagster's databases are up to date.")


def _go_back(revision: str) -> None:
    note(f"The ledger at {go_back(_ledger(), revision)} has schema {revision}.")


@ledger.command(name="backup", epilog=examples("wan ledger backup ledger-monday"))
def backup_command(file: File) -> None:
    """Copy the ledger into a new file, while others use it.

    A ledger on PostgreSQL takes pg_dump. Videos, checkpoints and Dagster's runs are not in it.
    """
    back_up(_ledger(), file)
    note(f"The ledger is in {file}, {file.stat().st_size:,} bytes.")


@ledger.command(
    name="restore",
    epilog=examples(
        "wan ledger restore ledger-monday", "wan ledger restore ledger-monday --replace"
    ),
)
def restore_command(
    file: File,
    replace: Annotated[
        bool, typer.Option("--replace", help="The ledger that there is may go.")
    ] = False,
) -> None:
    """Make the ledger what it was at the time of a backup; end all runs first.

    Videos that were accepted since then lie in the store and are unknown: they are rendered again
    when somebody asks for them. A backup of an older version is migrated.
    """
    restore(_ledger(), file, replace=replace)
    studio = this_studio()
    note(f"The ledger at {studio.ledger.name} is as it was in {file}.")


@ledger.command(name="audit", epilog=examples("wan ledger audit", "wan ledger audit --json"))
def audit_command(as_json: AsJson = False) -> None:
    """Compare quota, takes, charges and pay; repair nothing, and fail if something is amiss.

    The schedule `ledger_night_schedule` does so every night.
    """
    found = [asdict(each) for each in discrepancies(this_studio().ledger)]
    emit(found, TROUBLES, as_json=as_json, empty="Every reservation, take and charge adds up.")
    if found:
        raise typer.Exit(1)


def _ledger() -> str:
    """Where it is, unopened: a backup before an upgrade has the old schema, or none can be read."""
    settings = read_settings(project_root(), environment_name())
    return below(state_folder(), resolve(settings.ledger))
