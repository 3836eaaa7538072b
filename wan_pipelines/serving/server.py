"""The application at a socket, until the process is told to end."""

import socket
from threading import Event, Thread

from wan_pipelines.errors import EngineError
from wan_pipelines.serving.app import engine_app
from wan_pipelines.serving.keys import Keys
from wan_pipelines.serving.service import VideoService

GRACE_SECONDS = 5
LOOK_SECONDS = 0.2
MOST_CONNECTIONS = 200


def serve_until(stop: Event, service: VideoService, keys: Keys, at: socket.socket) -> None:
    """Serve at a listening socket until `stop` is set; EngineError when the engine gives out."""
    import uvicorn

    config = uvicorn.Config(
        engine_app(service, keys),
        log_level="warning",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [at]}, name="http")
    thread.start()
    try:
        while not stop.wait(LOOK_SECONDS) and not service.loop.over.is_set():
            pass
        service.loop.stop()
    finally:
        server.should_exit = True
        thread.join()
    if service.loop.problem:
        raise EngineError(f"The engine has stopped: {service.loop.problem}")
