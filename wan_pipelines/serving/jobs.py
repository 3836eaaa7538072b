"""A video that was asked for, and how far it is."""

from dataclasses import dataclass
from typing import Any, Literal

from wan_pipelines.serving.wishes import Order

Status = Literal["queued", "in_progress", "completed", "failed"]
ENCODING_PERCENT = 99
"""All steps are done, and the files are being made."""


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the job store; times are Unix seconds.

    `attempts` counts how often rendering began: more than once after the server was stopped.
    """

    id: str
    owner: str
    status: Status
    order: Order
    created_at: float
    completed_at: float | None = None
    expires_at: float | None = None
    attempts: int = 0
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """After step `step` of `steps` of one job."""

    step: int
    steps: int

    @property
    def percent(self) -> int:
        return ENCODING_PERCENT * self.step // self.steps


def job_json(job: Job, position: Position | None = None) -> dict[str, Any]:
    """A job as OpenAI's clients read it, and the fields that are ours."""
    request = job.order.request
    error = None
    if job.error_code:
        error = {"code": job.error_code, "message": job.error_message}
    return {
        "id": job.id,
        "object": "video",
        "model": request.release,
        "status": job.status,
        "progress": _progress(job, position),
        "created_at": int(job.created_at),
        "completed_at": _whole(job.completed_at),
        "expires_at": _whole(job.expires_at),
        "prompt": request.prompt,
        "size": f"{request.width}x{request.height}",
        "seconds": f"{request.frames / job.order.fps:g}",
        "remixed_from_video_id": None,
        "error": error,
        "seed": request.seed,
        "num_frames": request.frames,
        "fps": job.order.fps,
        "num_inference_steps": request.sampling.steps,
        "lossless": job.order.lossless,
        "attempts": job.attempts,
    }


def _progress(job: Job, position: Position | None) -> int:
    if job.status == "completed":
        return 100
    return position.percent if position and job.status == "in_progress" else 0


def _whole(moment: float | None) -> int | None:
    return None if moment is None else int(moment)
