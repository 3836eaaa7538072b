"""`wan lineage VIDEO`: back to what it was made of, and forward to where it is shown."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from wan_pipelines.cli.output import AsJson, console, print_json
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.encoding.publish import manifest_key, read_manifest
from wan_pipelines.ledger.lineage import Lineage, TakeHistory, trace
from wan_pipelines.ledger.money import usd
from wan_pipelines.studio.studio import Studio


def register(app: typer.Typer) -> None:
    app.command()(lineage)


def lineage(
    video: Annotated[
        str, typer.Argument(help="Address or SHA-256 of a file, a take's id, or a render key.")
    ],
    tenant: Annotated[str, typer.Option(help="Whose video it is.")] = "demo",
    as_json: AsJson = False,
) -> None:
    """Walk from a video back to prompt, weights, run and cost, and forward to its editions."""
    studio = this_studio()
    found = trace(studio.ledger, tenant, video)
    manifest = _manifest(studio, found)
    if as_json:
        print_json({**asdict(found), "manifest": manifest})
    else:
        console().print(_tree(found, manifest))


def _manifest(studio: Studio, found: Lineage) -> dict[str, Any] | None:
    """What lies beside the video; a take that was never accepted has none."""
    key = manifest_key(found.tenant, found.render_key, found.take_id)
    if studio.store.stat(key) is None:
        return None
    return read_manifest(studio.store, key).model_dump(mode="json")


def _tree(found: Lineage, manifest: dict[str, Any] | None) -> Tree:
    request = found.request
    tree = Tree(f"[bold]{found.render_key[:16]}[/] of tenant {found.tenant}")
    shot = tree.add("shot")
    shot.add(Text(f"prompt: {request['prompt']}"))
    shot.add(f"seed {request['seed']}, {request['width']}x{request['height']}")
    shot.add(f"{request['frames']} frames")
    if manifest:
        made = tree.add("made of")
        for parent in manifest["parents"]:
            made.add(f"{parent['kind']} {parent['name']} {(parent['digest'] or '')[:16]}")
        made.add(f"wan_pipelines {manifest['code_version']}")
    takes = tree.add("takes")
    for take in found.takes:
        _add_take(takes, take)
    uses = tree.add("shown in")
    for use in found.uses:
        uses.add(f"{use.campaign}/{use.edition} as {use.shot} ({use.state})")
    return tree


def _add_take(takes: Tree, take: TakeHistory) -> None:
    cost = usd(sum(take.micro_usd_by_kind.values()))
    node = takes.add(f"{take.take_id}: {take.outcome}, ${cost}")
    worker = take.worker
    node.add(f"run {worker.run_id}, step {worker.step_key}")
    node.add(f"{worker.gpu_count} x {worker.gpu_class} on {worker.host}")
    if take.error_message:
        node.add(f"error: {take.error_message}")
    if take.forgotten_because:
        node.add(f"forgotten: {take.forgotten_because}")
    for file in take.renditions:
        node.add(f"{file.name}: {file.uri}  sha256 {file.sha256[:16]}")
