"""`wan engine`: an engine as a server that others send their prompts to, and engines measured."""

import ipaddress
import logging
import socket
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from wan_pipelines.cli import bench
from wan_pipelines.cli.output import examples, note
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.engines.releases import Release, read_releases
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.errors import InputError
from wan_pipelines.places import environment_name, project_root, state_folder
from wan_pipelines.rendering.signals import stop_on_signals
from wan_pipelines.serving.keys import KEYS_VARIABLE, Keys
from wan_pipelines.studio.settings import Settings, read_settings
from wan_pipelines.studio.studio import named
from wan_pipelines.studio.supply import supply_of, weights_cache

engine = typer.Typer(
    name="engine",
    help="Engines: serve one, measure them.",
    epilog=examples("wan engine serve wan-tiny", "wan engine bench wan-tiny"),
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def register(app: typer.Typer) -> None:
    bench.register(engine)
    app.add_typer(engine)
    app.add_typer(engine, name="engines", hidden=True)


@engine.command(
    epilog=examples(
        "wan engine serve wan-tiny",
        "wan engine serve wan-tiny --port 8001 --queue 20",
        "WAN_ENGINE_KEYS=studio:$KEY wan engine serve wan-tiny --host 0.0.0.0",
        'curl 127.0.0.1:8000/v1/videos -F prompt="a red ball rising"',
    )
)
def serve(
    release: Annotated[str, typer.Argument(help="A release of assets/models.")],
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any.")] = 8000,
    queue: Annotated[int, typer.Option(min=1, help="Videos that may wait.")] = 100,
    keep_hours: Annotated[float, typer.Option(min=0, help="How long a video is kept.")] = 24,
    finish: Annotated[
        bool, typer.Option("--finish", help="When told to end, finish the video under way.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Where jobs and videos are kept; else in the state.")
    ] = None,
) -> None:
    """Serve a release over HTTP, with the video API of OpenAI's clients.

    Callers have keys, which the variable WAN_ENGINE_KEYS names: "name:key,name:key". Without any,
    only this machine is listened to.

    Jobs outlive the server: what it did not finish is rendered when it is back.
    """
    from wan_pipelines.serving.server import serve_until
    from wan_pipelines.serving.service import Limits, VideoService

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    settings = read_settings(project_root(), environment_name())
    served = _release(release)
    keys = Keys.from_environment()
    limits = Limits(queue=queue, keep_hours=keep_hours, finish_job=finish)
    with (
        _bound(host, port, open_to_all=not keys) as listening,
        stop_on_signals(Event()) as stop,
        VideoService.opened(
            served,
            lambda: _load(settings, served),
            folder or state_folder() / "engine",
            limits,
        ) as service,
    ):
        address = f"http://{host}:{listening.getsockname()[1]}"
        note(f"{served.name} at {address}/v1   ready: {address}/readyz")
        serve_until(stop, service, keys, listening)


def _release(name: str) -> Release:
    assets = project_root() / "assets"
    models = assets / "models"
    release = named(read_releases(assets), name, kind="release", where=models)
    if isinstance(release.source, ServedWeights):
        raise InputError(
            f"{name} is itself rendered on a server, {release.source.server!r}.",
            where=str(models / name / "defs.yaml"),
            remedy="Serve a release whose weights are at hand.",
        )
    return release


def _load(settings: Settings, release: Release) -> Engine:
    from wan_pipelines.engines.prepare import load, prepare

    return load(
        prepare(
            release,
            weights_cache(state_folder(), settings),
            device=settings.rendering_class.device,
            threads=settings.workers.threads,
            supply=supply_of(state_folder(), settings),
        )
    )


def _bound(host: str, port: int, *, open_to_all: bool) -> socket.socket:
    """A listening socket; InputError when it cannot be had, or is one that needs keys."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            f"{host}:{port} cannot be listened at: {error.strerror}.",
            where="wan engine serve",
            remedy="Choose another --host or --port.",
        ) from error
    if open_to_all and not ipaddress.ip_address(listening.getsockname()[0]).is_loopback:
        listening.close()
        raise InputError(
            f"without keys a server at {host} would render for everybody.",
            where="wan engine serve",
            remedy=f"Set {KEYS_VARIABLE}, or listen at 127.0.0.1.",
        )
    return listening
