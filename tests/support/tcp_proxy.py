"""A proxy of bytes between a client and a server, that breaks connections as networks do."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from urllib.parse import urlsplit

CHUNK_BYTES = 64 << 10


def refusal(status: int, code: str) -> bytes:
    """An answer of S3 that says no."""
    body = f"<Error><Code>{code}</Code><Message>So says the proxy.</Message></Error>"
    head = f"HTTP/1.1 {status} {code}\r\nConnection: close\r\nContent-Type: application/xml\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


BUSY = refusal(503, "SlowDown")


@dataclass(frozen=True)
class Broken:
    """What happens to one connection: the next that is made.

    It is reset after so many bytes `up` to the server or `down` from it; it is passed on `late`
    by so many seconds; or not at all, and `answer` comes back.
    """

    up: int | None = None
    down: int | None = None
    late: float = 0
    answer: bytes = b""


@dataclass
class TcpProxy:
    """At `url`; each connection takes one of `faults`, and is left alone when there is none."""

    url: str
    faults: list[Broken] = field(default_factory=list)
    connections: int = 0


@contextmanager
def tcp_proxy(server: str) -> Iterator[TcpProxy]:
    """A proxy to the server at that address."""
    address = urlsplit(server)
    target = (address.hostname or "", address.port or 80)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = TcpProxy(f"http://127.0.0.1:{listening.getsockname()[1]}")
        thread = Thread(target=_accept, args=(listening, target, proxy), daemon=True)
        thread.start()
        yield proxy
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listening: socket.socket, target: tuple[str, int], proxy: TcpProxy) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        proxy.connections += 1
        fault = proxy.faults.pop(0) if proxy.faults else Broken()
        Thread(target=_serve, args=(client, target, fault), daemon=True).start()


def _serve(client: socket.socket, target: tuple[str, int], fault: Broken) -> None:
    with client, suppress(OSError):
        if fault.answer:
            client.recv(CHUNK_BYTES)
            client.sendall(fault.answer)
            client.shutdown(socket.SHUT_WR)
            while client.recv(CHUNK_BYTES):
                pass
            return
        time.sleep(fault.late)
        with socket.create_connection(target) as server:
            upwards = Thread(target=_pump, args=(client, server, fault.up), daemon=True)
            upwards.start()
            _pump(server, client, fault.down)
            upwards.join()


def _pump(source: socket.socket, sink: socket.socket, left: int | None) -> None:
    """Pass bytes on until the source ends; reset both when none are `left`."""
    with suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            if left is not None and len(data) > left:
                sink.sendall(data[:left])
                _reset(source)
                _reset(sink)
                return
            left = left if left is None else left - len(data)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def _reset(connection: socket.socket) -> None:
    """With the linger time at zero, closing is a TCP reset; shutting down wakes who reads."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RD)
    connection.close()
