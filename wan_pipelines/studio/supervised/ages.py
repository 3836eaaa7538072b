"""Notices that a worker hangs: it is inside one step for longer than its shot may take in all."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from wan_pipelines.rendering.progress import Progress


@dataclass
class StepAge:
    """The age of the last step, and what is to be done about it."""

    grace_seconds: float
    now: Callable[[], float] = monotonic
    progress: Progress | None = None
    _since: float = 0.0
    _told_at: float | None = None

    def heard(self, progress: Progress | None) -> None:
        """The worker has done a step, or ended a render."""
        self.progress, self._since = progress, self.now()

    @property
    def hung(self) -> bool:
        """Whether the worker was told to stop for it."""
        return self._told_at is not None

    def signal(self) -> signal.Signals | None:
        """What to send to the worker now: it is told once, and killed when that does not help."""
        limit = self.progress and self.progress.limit_seconds
        if not limit or self.now() - self._since <= limit:
            return None
        if self._told_at is None:
            self._told_at = self.now()
            return signal.SIGTERM
        return signal.SIGKILL if self.now() - self._told_at > self.grace_seconds else None
