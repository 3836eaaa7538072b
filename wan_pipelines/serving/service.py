"""Jobs from the request to the file: what the routes call, knowing no HTTP."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from filelock import FileLock, Timeout

from wan_pipelines.engines.protocol import Engine
from wan_pipelines.engines.releases import Release
from wan_pipelines.errors import EngineError
from wan_pipelines.serving.files import VARIANTS, VideoFiles
from wan_pipelines.serving.job_store import JobStore, QueueFull
from wan_pipelines.serving.jobs import Job, job_json
from wan_pipelines.serving.meters import Meters
from wan_pipelines.serving.problems import Refusal, bad_request, not_found, queue_full
from wan_pipelines.serving.render_loop import RenderLoop
from wan_pipelines.serving.wishes import Wish, order_of

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server takes on: jobs that may wait, how long a video is kept, how it ends."""

    queue: int = 100
    keep_hours: float = 24.0
    finish_job: bool = False


@dataclass(frozen=True, slots=True)
class VideoService:
    """One release, one engine, one folder."""

    release: Release
    store: JobStore
    files: VideoFiles
    loop: RenderLoop
    meters: Meters
    limits: Limits

    @classmethod
    @contextmanager
    def opened(
        cls,
        release: Release,
        open_engine: Callable[[], Engine],
        folder: Path,
        limits: Limits = Limits(),
    ) -> Iterator[Self]:
        """Works on what waits in `folder` as long as the block lasts; the engine loads meanwhile.

        A release that has changed has a folder of its own: its old jobs would have other pixels.
        """
        place = folder / f"{release.name}-{release.identity[:12]}"
        place.mkdir(parents=True, exist_ok=True)
        with _alone(place):
            store = JobStore(place / "jobs.sqlite")
            store.put_back_interrupted()
            files = VideoFiles(place / "videos")
            meters = Meters(release.name, store.waiting)
            loop = RenderLoop(
                open_engine=open_engine,
                store=store,
                files=files,
                meters=meters,
                keep_seconds=limits.keep_hours * 3600,
                finish_job=limits.finish_job,
            )
            loop.start()
            try:
                yield cls(release, store, files, loop, meters, limits)
            finally:
                loop.stop()
                store.close()

    def create(self, caller: str, fields: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        """A job for what the fields of a body ask for; a Refusal says what is wrong with them."""
        wish = Wish.of(fields)
        if key is not None and not 0 < len(key) <= LONGEST_KEY:
            raise bad_request(f"A key has 1 to {LONGEST_KEY} characters.", "Idempotency-Key")
        if self.loop.is_stopping:
            raise Refusal(503, "The server is stopping.", code="stopping")
        order = order_of(wish, self.release)
        try:
            job = self.store.add(
                caller, order, digest=wish.digest, key=key, most_waiting=self.limits.queue
            )
        except QueueFull:
            waiting = self.limits.queue
            raise queue_full(waiting, self.loop.wait_seconds(1)) from None
        self.loop.wake()
        return self._told(job)

    def get(self, caller: str, video_id: str) -> dict[str, Any]:
        return self._told(self._job(caller, video_id))

    def page(
        self, caller: str, *, after: str | None, limit: int, order: Literal["asc", "desc"]
    ) -> dict[str, Any]:
        """A page of the caller's jobs, newest first unless `order` is "asc"."""
        found = self.store.page(caller, after=after, limit=limit, order=order)
        if found is None:
            raise bad_request(f"There is no video {after!r} to go on after.", "after")
        jobs, more = found
        return {
            "object": "list",
            "data": [self._told(job) for job in jobs],
            "first_id": jobs[0].id if jobs else None,
            "last_id": jobs[-1].id if jobs else None,
            "has_more": more,
        }

    def delete(self, caller: str, video_id: str) -> dict[str, Any]:
        """Forgets a job in whatever state; one that is being rendered ends at its next step."""
        job = self._job(caller, video_id)
        self.store.delete(caller, job.id)
        self.loop.deleted.add(job.id)
        self.files.remove(job.id)
        return {"id": job.id, "object": "video.deleted", "deleted": True}

    def content(self, caller: str, video_id: str, variant: str) -> tuple[Path, str]:
        """A file of a finished job, and its media type."""
        if variant not in VARIANTS:
            offered = ", ".join(VARIANTS)
            raise bad_request(f"There is no variant {variant!r}; there are {offered}.", "variant")
        job = self._job(caller, video_id)
        if job.status != "completed":
            raise bad_request(f"The video is {job.status}, not completed.", "video_id", "not_ready")
        if variant == "lossless" and not job.order.lossless:
            raise bad_request("Ask for it with `lossless: true` when creating a video.", "variant")
        path = self.files.path(job, variant)
        if not path.is_file():  # expired or deleted a moment ago
            raise not_found(video_id)
        return path, VARIANTS[variant][1]

    def model(self) -> dict[str, Any]:
        """The card of the release, with what it draws."""
        release = self.release
        return {
            "id": release.name,
            "object": "model",
            "created": 0,
            "owned_by": "wan_pipelines",
            "identity": release.identity,
            "sizes": [f"{size.width}x{size.height}" for size in release.sizes.offered],
            "frames": release.frames.model_dump() | {"max": release.most_frames},
            "fps": release.fps,
            "tiers": list(release.tiers),
            "default_tier": release.default_tier,
        }

    def health(self) -> dict[str, Any]:
        """Is the engine loaded, how much waits, and how long ago was the last step?"""
        return {
            "ready": self.loop.ready.is_set(),
            "queued": self.store.waiting(),
            "last_step_age_seconds": self.meters.last_step_age_seconds,
        }

    def _job(self, caller: str, video_id: str) -> Job:
        job = self.store.get(caller, video_id)
        if job is None:
            raise not_found(video_id)
        return job

    def _told(self, job: Job) -> dict[str, Any]:
        return job_json(job, self.loop.positions.get(job.id))


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Two servers on one folder would render every job twice."""
    lock = FileLock(place / "server.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise EngineError(
            f"Another server works in {place}. End it, or name another folder with --folder."
        ) from None
    try:
        yield
    finally:
        lock.release()
