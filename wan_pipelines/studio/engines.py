"""Which engine renders a release here: one in this process, or a server of the environment."""

from dataclasses import replace

from wan_pipelines.engines.ladder.footings import Footing, lowered
from wan_pipelines.engines.prepare import load
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.engines.remote.engine import open_remote_engine
from wan_pipelines.engines.remote.servers import RemoteServer
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.studio.artifacts import workshop
from wan_pipelines.studio.settings import Settings
from wan_pipelines.studio.studio import Studio


def open_release_engine(
    studio: Studio, release: str, *, tenant: str = "", footing: Footing | None = None
) -> Engine:
    """The engine that a worker renders with; its weights were verified by the `engine` asset.

    EngineError or WeightsError when it cannot be had. On a server, equal shots of one tenant are
    one job. `footing` is that of the first shot.
    """
    prepared = studio.prepare(release, digests=False)
    source = prepared.release.source
    if isinstance(source, ServedWeights):
        server = server_named(studio.settings, source.server)
        return open_remote_engine(prepared.release, server, tenant)
    blocks = workshop(studio, f"a worker of {release}")
    if footing is None:
        return load(prepared, workshop=blocks)
    prepared = replace(prepared, release=lowered(prepared.release, footing))
    return load(prepared, footing.request.sampling.engine, workshop=blocks)


def server_named(settings: Settings, name: str) -> RemoteServer:
    """A server of the environment, with its key; InputError when there is none of the name."""
    if name not in settings.servers:
        raise InputError(
            f"there is no server {name!r} in environment {settings.name!r}.",
            where=f"resources/{settings.name}/defs.yaml, servers",
            remedy=f"Add it there. {did_you_mean(name, settings.servers)}",
        )
    declared = settings.servers[name]
    return RemoteServer(
        address=declared.address,
        key=declared.key.read() if declared.key else None,
        poll_seconds=declared.poll_seconds,
        answer_seconds=declared.answer_seconds,
        outage_seconds=declared.outage_seconds,
        render_seconds=declared.render_seconds,
    )
