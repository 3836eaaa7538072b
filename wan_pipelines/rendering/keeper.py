"""Decides when the state of a take is kept, and notes what became of it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from wan_pipelines.errors import StorageError
from wan_pipelines.rendering.clock import Clock
from wan_pipelines.rendering.ports import Checkpoints
from wan_pipelines.rendering.spans import NANOSECONDS
from wan_pipelines.rendering.takes import NO_CHECKPOINTS, CheckpointUse

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class TakeKeeper:
    """A `Keeper` for one attempt at a shot.

    The state is kept when `every_seconds` have passed since it last was, and by `keep_now` when an
    attempt is cut short. A checkpoint that cannot be read or written costs nothing but the steps
    it would have saved: the render goes on without.
    """

    checkpoints: Checkpoints
    render_key: str
    every_seconds: float
    clock: Clock
    use: CheckpointUse = NO_CHECKPOINTS
    _step: int = 0
    _offered: Callable[[], bytes] | None = None
    _kept_ns: int = field(init=False)

    def __post_init__(self) -> None:
        self._kept_ns = self.clock.monotonic_ns()

    def found(self, limit_bytes: int) -> bytes | None:
        """See `Keeper.found`."""
        try:
            return self.checkpoints.load(self.render_key, limit_bytes)
        except StorageError as error:
            self.refused(str(error))
            return None

    def resumed(self, step: int) -> None:
        """See `Keeper.resumed`."""
        self.use = replace(self.use, resumed_steps=step, saved_steps=step)

    def refused(self, reason: str) -> None:
        """See `Keeper.refused`."""
        log.warning("The checkpoint of shot %s is not used: %s", self.render_key[:12], reason)
        self.use = replace(self.use, refused=reason)

    def step_done(self, step: int, pack: Callable[[], bytes]) -> None:
        """See `Keeper.step_done`."""
        self._step, self._offered = step, pack
        waited_ns = self.clock.monotonic_ns() - self._kept_ns
        if waited_ns >= self.every_seconds * NANOSECONDS:
            self.keep_now()

    def keep_now(self) -> None:
        """Keeps the state after the last step, unless it is kept; before another step begins."""
        if self._offered is None:
            return
        pack, self._offered = self._offered, None
        self._save(self._step, pack())
        self._kept_ns = self.clock.monotonic_ns()

    def forget(self) -> None:
        """The next attempt is to start over."""
        forget(self.checkpoints, self.render_key)
        self.use = replace(self.use, saved_steps=0)

    def _save(self, step: int, data: bytes) -> None:
        try:
            self.checkpoints.save(self.render_key, data)
        except StorageError as error:
            log.warning("Shot %s goes on without a checkpoint: %s", self.render_key[:12], error)
            self.use = replace(self.use, unsaved=str(error))
        else:
            self.use = replace(self.use, saved_steps=step, unsaved="")


def forget(checkpoints: Checkpoints, render_key: str) -> None:
    """Removes a checkpoint; one that cannot be is removed later, when it is old."""
    try:
        checkpoints.remove(render_key)
    except StorageError as error:
        log.warning("The checkpoint of shot %s stays for now: %s", render_key[:12], error)
