"""`wan lineage VIDEO`: back to what it was made of, and forward to where it is shown."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from wan_pipelines.cli.output import AsJson, console, examples, print_json
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import shown_text
from wan_pipelines.cli.tenants import AllTenants, TenantName, asked
from wan_pipelines.encoding.manifest import VideoManifest
from wan_pipelines.encoding.publish import manifest_key, read_manifest
from wan_pipelines.ledger.lineage import Lineage, TakeHistory
from wan_pipelines.ledger.money import usd
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.tracing import find

SHOWN_DIGITS = 16


def register(app: typer.Typer) -> None:
    app.command(
        epilog=examples(
            "wan lineage h264.mp4",
            "wan lineage file:///srv/store/tenants/demo/videos/.../h264.mp4",
            "wan lineage 3f0a9c1d2b4e --tenant demo --json",
        )
    )(lineage)


def lineage(
    video: Annotated[
        str,
        typer.Argument(
            help="Address, path or SHA-256 of a file, or a copy of it; a take's id; a render key."
        ),
    ],
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    as_json: AsJson = False,
) -> None:
    """Walk from a video back to prompt, weights, run and cost, and forward to its editions."""
    studio = this_studio()
    found = find(studio, video, asked(studio, tenant, all_tenants=all_tenants))
    manifest = _manifest(studio, found)
    if as_json:
        beside = manifest.model_dump(mode="json") if manifest else None
        print_json({**asdict(found), "manifest": beside})
    else:
        console().print(_tree(found, manifest), soft_wrap=True)


def _manifest(studio: Studio, found: Lineage) -> VideoManifest | None:
    """What lies beside the video; a take that was never accepted has none."""
    key = manifest_key(found.tenant, found.render_key, found.take_id)
    return read_manifest(studio.store, key) if studio.store.stat(key) else None


def _tree(found: Lineage, manifest: VideoManifest | None) -> Tree:
    request = found.request
    tree = Tree(Text(f"{found.render_key[:SHOWN_DIGITS]} of tenant {found.tenant}", "bold"))
    shot = tree.add("shot")
    _add(shot, f"prompt: {request['prompt']}")
    if request["negative_prompt"]:
        _add(shot, f"negative prompt: {request['negative_prompt']}")
    size = f"{request['width']}x{request['height']}, {request['frames']} frames"
    _add(shot, f"seed {request['seed']}, {size}")
    if manifest:
        _add_origin(tree.add("made of"), manifest)
    takes = tree.add("takes")
    for take in found.takes:
        _add_take(takes, take, found.render_key)
    uses = tree.add("shown in")
    for use in found.uses:
        _add(uses, f"{use.campaign}/{use.edition} as {use.shot} ({use.state})")
    return tree


def _add_origin(made: Tree, manifest: VideoManifest) -> None:
    for parent in manifest.parents:
        _add(made, f"{parent.kind} {parent.name} {(parent.digest or '')[:SHOWN_DIGITS]}".rstrip())
    _add(made, f"wan_pipelines {manifest.code_version}")


def _add_take(takes: Tree, take: TakeHistory, render_key: str) -> None:
    cost = usd(sum(take.micro_usd_by_kind.values()))
    node = _add(takes, f"{take.take_id}: {take.outcome}, ${cost}")
    worker = take.worker
    _add(node, f"run {worker.run_id}, step {worker.step_key}")
    price = f"${usd(worker.micro_usd_per_gpu_hour)} an hour"
    _add(node, f"{worker.gpu_count} x {worker.gpu_class} at {price} on {worker.host}")
    if take.descent:
        drawn = f"{take.descent.release} {take.descent.tier}".rstrip()
        what = "degraded" if take.descent.changes_pixels(render_key) else "same pixels"
        _add(node, f"drawn by {drawn} on rungs {', '.join(take.descent.rungs)} ({what})")
    if take.error_message:
        _add(node, f"error: {take.error_message}")
    if take.forgotten_because:
        _add(node, f"forgotten: {take.forgotten_because}")
    for file in take.renditions:
        _add(node, f"{file.name}: {file.uri}  sha256 {file.sha256[:SHOWN_DIGITS]}")


def _add(tree: Tree, words: str) -> Tree:
    """A branch of plain text: what people or libraries wrote is no markup."""
    return tree.add(Text(shown_text(words)))
