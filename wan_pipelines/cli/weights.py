"""`wan weights`: models in the store and on this node."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from math import isfinite
from threading import Event
from typing import Annotated, Any

import typer

from wan_pipelines.cli.output import AsJson, complain, emit, examples, note, print_json
from wan_pipelines.cli.tables import Column
from wan_pipelines.cli.weights_progress import STOPPED, stopping, told
from wan_pipelines.engines.release_parts import Mirroring
from wan_pipelines.errors import FetchStopped
from wan_pipelines.places import environment_name, project_root, state_folder
from wan_pipelines.studio.mirror_jobs import Order
from wan_pipelines.studio.mirroring import mirror_weights
from wan_pipelines.studio.node_weights import NodeWeights, WeightsRow, open_node_weights
from wan_pipelines.studio.settings import read_settings
from wan_pipelines.units import GB
from wan_pipelines.weights.events import Tell

weights = typer.Typer(
    name="weights",
    help="Models: put them into the store, fetch them onto this node, check them.",
    epilog=examples(
        "wan weights mirror wan2.2-t2v-a14b", "wan weights fetch wan2.2-t2v-a14b --json"
    ),
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COLUMNS = (
    Column("release", "Release"),
    Column("weights", "Weights"),
    Column("here", "Here"),
    Column("size", "GB", numeric=True),
    Column("in_use", "In use"),
    Column("used_at", "Last used"),
    Column("mirrored", "In the store"),
    Column("folder", "Folder", beneath=True),
)
COMMIT_DIGITS = 12
"""That tell commits apart, for people."""
ReleaseName = Annotated[str, typer.Argument(help="A release of assets/models.")]
AsLines = Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON.")]


def register(app: typer.Typer) -> None:
    app.add_typer(weights)


@weights.command(
    epilog=examples(
        "wan weights fetch wan2.2-t2v-a14b",
        "wan weights fetch wan2.2-t2v-a14b --json     as an init container",
    )
)
def fetch(release: ReleaseName, as_json: AsLines = False) -> None:
    """Fetch everything that a release loads onto this node, once for all processes here.

    What has arrived is never fetched again: after an interruption the same command goes on. Ends
    with 0 when everything is whole, 1 with an error, 130 when it was stopped.
    """
    with _node(as_json=as_json) as node:
        node.fetch(release)


@weights.command(
    epilog=examples(
        "wan weights mirror wan2.2-t2v-a14b",
        "wan weights mirror wan2.2-t2v-a14b --from ~/.cache/huggingface/hub/.../snapshots/5be7…",
        "wan weights mirror wan2.2-t2v-a14b --dry-run",
        "wan weights mirror mine --from /mnt/mine --revision v1 --licence Apache-2.0",
    )
)
def mirror(
    release: Annotated[str, typer.Argument(help="A release, or a name for weights of none yet.")],
    source: Annotated[
        str | None,
        typer.Option(
            "--from", help="A folder, or hub:org/name@commit; else what the release says."
        ),
    ] = None,
    revision: Annotated[
        str | None, typer.Option(help="Of a folder that does not say so itself.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="SPDX identifier, for weights of no release yet.")
    ] = None,
    bfloat16: Annotated[
        list[str] | None,
        typer.Option(help="Component to store as bfloat16; repeatable. For no release's weights."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Part of names of tensors that keep their type; repeatable."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be stored, and store nothing.")
    ] = False,
    as_json: AsLines = False,
) -> None:
    """Put a release's weights into the environment's store, for its nodes to fetch.

    Converted and cut as the release says under `mirror`. Published once; what was uploaded before
    an interruption is not uploaded again. Pickles and code are refused by their names.
    """
    order = Order(
        name=release,
        source=source,
        revision=revision,
        licence=licence,
        mirroring=Mirroring(bfloat16=tuple(bfloat16 or ()), keep=tuple(keep or ())),
        dry_run=dry_run,
    )
    with _stoppable(as_json=as_json) as (tell, stop):
        settings = read_settings(project_root(), environment_name())
        mirror_weights(project_root(), state_folder(), settings, order, tell, stop)


@weights.command(name="list", epilog=examples("wan weights list", "wan weights list --here"))
def list_(
    here: Annotated[
        bool, typer.Option("--here", help="Only of this node: the store is not asked.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the weights of all releases: what is on this node, and what is in the store."""
    with _node(as_json=False) as node:
        rows = node.rows(ask_store=not here)
    records = [asdict(row) if as_json else _shown(row) for row in rows]
    emit(records, COLUMNS, as_json=as_json, empty="No release has weights.")


@weights.command(epilog=examples("wan weights verify wan2.2-t2v-a14b"))
def verify(release: ReleaseName, as_json: AsJson = False) -> None:
    """Read every byte of a release's weights on this node, and compare it with the manifest.

    Damaged files are put aside: the next fetch brings them again. Ends with 1 if there are any.
    """
    with _node(as_json=False) as node:
        problems = [{"file": file, "problem": why} for file, why in node.verify(release)]
    if as_json:
        print_json(problems)
    for problem in problems:
        complain(f"{problem['file']} {problem['problem']}")
    if problems:
        raise typer.Exit(1)
    note(f"The weights of {release} are what their manifest says.")


@weights.command(
    epilog=examples("wan weights evict wan2.2-t2v-a14b", "wan weights evict --to-gb 100")
)
def evict(
    release: Annotated[
        str | None, typer.Argument(help="Whose weights go; else the least recently used.")
    ] = None,
    to_gb: Annotated[
        float | None, typer.Option(min=0, help="Until the cache takes no more than this.")
    ] = None,
    as_json: AsLines = False,
) -> None:
    """Remove weights from this node; what a process uses stays. Ends with 1 if something does."""
    if (release is None) == (to_gb is None):
        raise typer.BadParameter("name either a release or --to-gb")
    if to_gb is not None and not isfinite(to_gb):
        raise typer.BadParameter("--to-gb is a number of gigabytes")
    with _node(as_json=as_json) as node:
        kept = list(node.evict(release) if release else node.evict_to(to_gb or 0))
    for why in kept:
        complain(why)
    if kept:
        raise typer.Exit(1)


@contextmanager
def _node(*, as_json: bool) -> Iterator[NodeWeights]:
    """The node's weights."""
    with _stoppable(as_json=as_json) as (tell, stop):
        yield open_node_weights(project_root(), state_folder(), environment_name(), tell, stop)


@contextmanager
def _stoppable(*, as_json: bool) -> Iterator[tuple[Tell, Event]]:
    """Who is told what happens, and what is set by Ctrl-C and SIGTERM."""
    with stopping() as stop, told(as_json=as_json) as tell:
        try:
            yield tell, stop
        except FetchStopped as stopped:
            complain(str(stopped))
            raise typer.Exit(STOPPED) from stopped


def _shown(row: WeightsRow) -> dict[str, Any]:
    name, at, revision = row.weights.partition("@")
    return {
        **asdict(row),
        "weights": name + at + revision[:COMMIT_DIGITS],
        "size": f"{row.disk_bytes / GB:.2f}" if row.disk_bytes else None,
    }
