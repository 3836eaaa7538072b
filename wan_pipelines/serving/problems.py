"""What a request is refused with, in the form that OpenAI's clients read."""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """A request that is answered with an HTTP status and a reason.

    `param` names the field that is wrong; `code` is for programs, the message for people.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    def to_json(self) -> dict[str, Any]:
        return problem(self.status, str(self), code=self.code, param=self.param)


def problem(status: int, message: str, *, code: str, param: str | None = None) -> dict[str, Any]:
    """The body of an answer that is an error."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def bad_request(message: str, param: str | None = None, code: str = "invalid_value") -> Refusal:
    return Refusal(400, message, code=code, param=param)


def not_found(video_id: str) -> Refusal:
    return Refusal(404, f"There is no video {video_id!r}.", code="not_found", param="video_id")


def queue_full(jobs: int, retry_after_seconds: int) -> Refusal:
    return Refusal(
        429,
        f"{jobs} videos wait already. Try again in {retry_after_seconds} s.",
        code="queue_full",
        headers={"Retry-After": str(retry_after_seconds)},
    )


def key_reused() -> Refusal:
    return Refusal(
        422,
        "This Idempotency-Key was used for another request. Use a new key for a new video.",
        code="idempotency_key_reused",
        param="Idempotency-Key",
    )
