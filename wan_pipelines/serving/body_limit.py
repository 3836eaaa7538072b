"""Bodies that are larger than any honest request are not read to their end."""

from typing import TYPE_CHECKING

from wan_pipelines.serving.problems import Refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware: reading more than `most_bytes` of a body raises a Refusal (413)."""

    def __init__(self, app: "ASGIApp", most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        read_bytes = 0

        async def counted() -> "Message":
            nonlocal read_bytes
            message = await receive()
            read_bytes += len(message.get("body", b""))
            if read_bytes > self._most_bytes:
                raise too_large(self._most_bytes)
            return message

        await self._app(scope, counted, send)


def too_large(most_bytes: int) -> Refusal:
    return Refusal(413, f"The body is larger than {most_bytes} bytes.", code="body_too_large")
