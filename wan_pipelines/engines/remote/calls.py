"""Requests to a server: repeated while it is worth it, and only if that does no harm."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import httpx2
from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.wait import wait_random_exponential

from wan_pipelines.engines.remote.servers import RemoteServer
from wan_pipelines.errors import RenderError

T = TypeVar("T")
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed."""
BUSY = 429
LONGEST_WAIT_SECONDS = 10.0
LONGEST_ASKED_SECONDS = 60.0
SAID_CHARACTERS = 300


class Unanswered(Exception):
    """No usable answer; `reached` unless it is certain that the server did not act on it."""

    def __init__(
        self, what: str, *, reached: bool, status: int = 0, after_seconds: float = 0.0
    ) -> None:
        super().__init__(what)
        self.reached = reached
        self.status = status
        self.after_seconds = after_seconds


class Refused(RenderError):
    """The server will not do it, however often it is asked."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message, stage="remote")
        self.status = status


@dataclass(frozen=True, slots=True)
class Caller:
    """A connection to one server. `pause` sleeps, and may raise to end the render."""

    server: RemoteServer
    http: httpx2.Client
    pause: Callable[[float], None]

    def once(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """One request, answered with a JSON object; Unanswered or Refused if not."""
        with _told_apart(path):
            answer = self.http.request(method, path, **request)
        _check(answer)
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Unanswered(f"{path} was answered with something else than JSON", reached=True)
        return body

    def patiently(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """A request that may be repeated without harm, until it is answered."""
        return self.insist(lambda: self.once(method, path, **request))

    def insist(self, attempt: Callable[[], T]) -> T:
        """`attempt`, again while it is Unanswered and patience lasts; RenderError after that."""
        retrying = Retrying(
            retry=retry_if_exception_type(Unanswered),
            stop=self._is_in_vain,
            wait=self._wait,
            sleep=self.pause,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except Unanswered as error:
            raise RenderError(
                f"The server {self.server.address} could not be used: {error}. See whether it is "
                "up, reachable, and not asked for more than it can do.",
                stage="remote",
            ) from error

    def _is_in_vain(self, state: RetryCallState) -> bool:
        """A server that is busy is waited for as for its work, one that is ill not so long."""
        assert state.outcome is not None
        error = state.outcome.exception()
        busy = isinstance(error, Unanswered) and error.status == BUSY
        patience = self.server.render_seconds if busy else self.server.outage_seconds
        return (state.seconds_since_start or 0.0) >= patience

    def _wait(self, state: RetryCallState) -> float:
        """What the server asks for, else longer and longer."""
        assert state.outcome is not None
        error = state.outcome.exception()
        asked = error.after_seconds if isinstance(error, Unanswered) else 0.0
        growing = wait_random_exponential(self.server.poll_seconds, max=LONGEST_WAIT_SECONDS)
        return max(asked, growing(state))

    def download(self, path: str, params: dict[str, str], to: Path) -> None:
        """One attempt to fetch a file whole; Unanswered or Refused if not."""
        deadline = monotonic() + self.server.render_seconds
        size, digest = 0, hashlib.sha256()
        with (
            _told_apart(path),
            self.http.stream("GET", path, params=params) as answer,
            to.open("wb") as file,
        ):
            if answer.is_error:
                answer.read()
            _check(answer)
            for chunk in answer.iter_bytes(1024 * 1024):
                size += len(chunk)
                if size > self.server.most_bytes:
                    raise Refused(
                        f"{path} is larger than {self.server.most_bytes} bytes.", status=200
                    )
                if monotonic() > deadline:
                    raise Unanswered(f"{path} arrives too slowly", reached=True)
                file.write(chunk)
                digest.update(chunk)
                self.pause(0)
        announced = answer.headers.get("Content-Digest", "")
        if announced.startswith("sha-256=") and announced != content_digest(digest.digest()):
            raise Unanswered(f"{path} was damaged on its way", reached=True)


def content_digest(sha256: bytes) -> str:
    """The header `Content-Digest` of RFC 9530."""
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"


def open_caller(server: RemoteServer, pause: Callable[[float], None]) -> Caller:
    headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
    http = httpx2.Client(
        base_url=server.address,
        headers=headers,
        timeout=httpx2.Timeout(server.answer_seconds, connect=min(10.0, server.answer_seconds)),
        follow_redirects=False,
    )
    return Caller(server, http, pause)


@contextmanager
def _told_apart(path: str) -> Iterator[None]:
    """Errors of the transport: was the request certainly not received?"""
    try:
        yield
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        raise Unanswered(f"no connection ({error})", reached=False) from error
    except httpx2.RequestError as error:
        raise Unanswered(f"{path}: {type(error).__name__} {error}", reached=True) from error


def _check(answer: httpx2.Response) -> None:
    status = answer.status_code
    if answer.is_success:
        return
    said = _said(answer)
    if status in PASSING:
        raise Unanswered(
            f"status {status}: {said}",
            reached=status != BUSY,
            status=status,
            after_seconds=_retry_after(answer),
        )
    raise Refused(f"The server answered {status}: {said}", status=status)


def _said(answer: httpx2.Response) -> str:
    """The reason that an error's body gives, in whichever of the usual forms."""
    try:
        body = answer.json()
    except ValueError:
        return answer.text[:SAID_CHARACTERS]
    if isinstance(body, dict):
        error = body.get("error", body.get("detail", body))
        body = error.get("message", error) if isinstance(error, dict) else error
    return str(body)[:SAID_CHARACTERS]


def _retry_after(answer: httpx2.Response) -> float:
    value = answer.headers.get("Retry-After", "")
    return min(float(value), LONGEST_ASKED_SECONDS) if value.isdecimal() else 0.0
