"""What Prometheus scrapes from an engine server."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from wan_pipelines.engines.protocol import Compilation

STAGE_BUCKETS = (0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1200, 3600)


class Meters:
    """One registry a server, so that several can live in a process."""

    def __init__(self, release: str, waiting: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self._release = release
        self._last_step_at: float | None = None
        self._ended = Counter(
            "wan_engine_jobs",
            "Jobs that ended, by how.",
            ["release", "outcome"],
            registry=self.registry,
        )
        self._refused = Counter(
            "wan_engine_refused_requests",
            "Requests that were refused, by reason.",
            ["release", "code"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "wan_engine_stage_seconds",
            "Wall seconds of the stages of a render.",
            ["release", "stage"],
            buckets=STAGE_BUCKETS,
            registry=self.registry,
        )
        self._artifacts = Counter(
            "wan_engine_artifacts",
            "Videos whose tier likes compiled code, by whether there was any: hit or miss.",
            ["release", "result"],
            registry=self.registry,
        )
        self._frames = Counter(
            "wan_engine_frames", "Frames rendered.", ["release"], registry=self.registry
        )
        self._steps = Counter(
            "wan_engine_denoise_steps", "Steps done.", ["release"], registry=self.registry
        )
        self._ready = self._gauge("wan_engine_ready", "1 once the engine is loaded.")
        self._rendering = self._gauge("wan_engine_rendering", "1 while a video is rendered.")
        self._gauge("wan_engine_queued_jobs", "Jobs that wait.").set_function(waiting)
        self._gauge(
            "wan_engine_last_step_age_seconds",
            "Since the last step of the render under way; 0 while none is.",
        ).set_function(lambda: self.last_step_age_seconds or 0.0)

    @property
    def last_step_age_seconds(self) -> float | None:
        """Seconds since the last step of the render under way; None while none is."""
        at = self._last_step_at
        return None if at is None else time.monotonic() - at

    def is_ready(self) -> None:
        self._ready.set(1)

    def rendering(self) -> None:
        self._rendering.set(1)
        self._last_step_at = time.monotonic()

    def step(self) -> None:
        self._steps.labels(self._release).inc()
        self._last_step_at = time.monotonic()

    def idle(self) -> None:
        self._rendering.set(0)
        self._last_step_at = None

    def stage(self, name: str, seconds: float) -> None:
        self._seconds.labels(self._release, name).observe(seconds)

    def compilation(self, compilation: Compilation) -> None:
        if compilation.artifacts or compilation.missed:
            result = "hit" if compilation.artifacts else "miss"
            self._artifacts.labels(self._release, result).inc()

    def frames(self, count: int) -> None:
        self._frames.labels(self._release).inc(count)

    def ended(self, outcome: str) -> None:
        self._ended.labels(self._release, outcome).inc()

    def refused(self, code: str) -> None:
        self._refused.labels(self._release, code).inc()

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(name, about, ["release"], registry=self.registry).labels(self._release)
