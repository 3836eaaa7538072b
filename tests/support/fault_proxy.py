"""A proxy between a client and a server that does to answers what networks and servers do."""

import http.client
import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

FORWARDED = ("Content-Type", "Content-Digest", "Retry-After")


@dataclass(frozen=True)
class Fault:
    """Happens to the next requests of that method whose path ends so, `times` times.

    before: the request is not passed on. after: it is, and the answer is spoilt. An answer is its
    status, its headers and its body; None ends the connection as a reset does.
    """

    method: str
    path: str
    answer: Callable[["Answer"], "Answer | None"]
    times: int = 1
    before: bool = False

    def fits(self, method: str, path: str) -> bool:
        return method == self.method and path.partition("?")[0].endswith(self.path)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    announced_bytes: int | None = None
    """The Content-Length, where it is to differ from the body's."""

    def claiming(self, **fields: Any) -> "Answer":
        """The same, saying something else of a job."""
        changed = {**json.loads(self.body), **fields}
        return Answer(self.status, self.headers, json.dumps(changed).encode())


def status(code: int, **headers: str) -> Callable[[Answer], Answer]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Answer(code, named, b'{"error": {"message": "so says the proxy"}}')


def reset(_: Answer) -> None:
    """Nothing comes back."""


def delay(seconds: float) -> Callable[[Answer], Answer]:
    def late(answer: Answer) -> Answer:
        time.sleep(seconds)
        return answer

    return late


@dataclass
class FaultProxy:
    """At `url`; `seen` are method and path of what was passed on."""

    url: str
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)

    def count(self, method: str, path: str = "") -> int:
        """Requests passed on of that method, to paths that end so."""
        return sum(m == method and p.partition("?")[0].endswith(path) for m, p in self.seen)

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that fits, which then has happened once more."""
        for index, fault in enumerate(self.faults):
            if fault.fits(method, path):
                left = fault.times - 1
                again = Fault(fault.method, fault.path, fault.answer, left, fault.before)
                self.faults[index : index + 1] = [again] if left else []
                return fault
        return None


@contextmanager
def fault_proxy(server: str) -> Iterator[FaultProxy]:
    """A proxy to the server at that address."""
    listening = _Listener(("127.0.0.1", 0), _Handler)
    listening.target = urlsplit(server)
    listening.proxy = FaultProxy(f"http://127.0.0.1:{listening.server_port}")
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield listening.proxy
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    target: Any
    proxy: FaultProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that have gone are none of the test's business."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_DELETE(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
        """Nothing."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.proxy.take(self.command, self.path)
        answer: Answer | None = Answer(200, {}, b"")
        if not (fault and fault.before):
            answer = self._ask(body)
        if fault and answer:
            answer = fault.answer(answer)
        if answer is None:
            self._reset()
        else:
            self._send(answer)

    def _ask(self, body: bytes) -> Answer:
        self.server.proxy.seen.append((self.command, self.path))
        target = self.server.target
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name != "Host"}
        with closing(connection):
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            kept = {name: answer.headers[name] for name in FORWARDED if name in answer.headers}
            return Answer(answer.status, kept, answer.read())

    def _send(self, answer: Answer) -> None:
        length = len(answer.body) if answer.announced_bytes is None else answer.announced_bytes
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = length != len(answer.body)

    def _reset(self) -> None:
        """A TCP reset: with the linger time at zero, closing does not say goodbye."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
