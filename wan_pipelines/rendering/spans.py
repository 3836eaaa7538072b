"""Splits a worker's life into spans that leave no gap and never overlap."""

from collections.abc import Callable

from wan_pipelines.rendering.clock import Clock
from wan_pipelines.rendering.takes import SPAN_KINDS, Span, SpanKind

NANOSECONDS = 1_000_000_000


class SpanRecorder:
    """The one open span; every change of activity closes it and opens the next.

    Used by the rendering thread alone. `report` gets each span once, when it ends, so that a
    killed worker loses the open one only.
    """

    def __init__(
        self, clock: Clock, report: Callable[[Span], None], *, paid_since_ns: int | None = None
    ) -> None:
        self._clock = clock
        self._report = report
        self._kind: SpanKind = "load" if paid_since_ns is not None else "idle"
        self._take_id: str | None = None
        self._started_ns = clock.monotonic_ns() if paid_since_ns is None else paid_since_ns
        self.nanoseconds: dict[SpanKind, int] = dict.fromkeys(SPAN_KINDS, 0)

    @property
    def kind(self) -> SpanKind:
        """What the worker is doing now."""
        return self._kind

    def switch(self, kind: SpanKind, take_id: str | None = None) -> None:
        """From now on the worker does `kind`, for `take_id` if it is for one."""
        if (kind, take_id) != (self._kind, self._take_id):
            self._begin(kind, take_id)

    def close_if_older_than(self, seconds: float) -> None:
        """Reports a long activity so far, and goes on with it."""
        if self._clock.monotonic_ns() - self._started_ns >= seconds * NANOSECONDS:
            self.close()

    def close(self) -> None:
        """Ends and reports the open span; the next one begins at the same nanosecond."""
        self._begin(self._kind, self._take_id)

    def _begin(self, kind: SpanKind, take_id: str | None) -> None:
        now_ns = self._clock.monotonic_ns()
        ended = Span(self._kind, self._take_id, self._started_ns, now_ns)
        self._kind, self._take_id, self._started_ns = kind, take_id, now_ns
        if ended.nanoseconds:
            self.nanoseconds[ended.kind] += ended.nanoseconds
            self._report(ended)
