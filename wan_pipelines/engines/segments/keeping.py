"""Checkpoints of a long video: latents of its finished segments, and how far the next one is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

from wan_pipelines.engines.protocol import Keeper
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.engines.sealed import HEADER_LIMIT_BYTES, Refused, seal, unseal

if TYPE_CHECKING:
    import torch

FORMAT = "wan-segments/1"


@dataclass(kw_only=True)
class ChainKeeper:
    """Keeps a long video through the `keeper` of its shot.

    `finished` are the latents of the segments that are done, `attempts` how often each was drawn;
    the segment under way is at attempt `attempt` (from 0). Its own checkpoint is part of the whole,
    so that an attempt elsewhere begins at the step after.
    """

    keeper: Keeper
    conditions: Mapping[str, str]
    steps: int
    finished: "list[torch.Tensor]" = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    attempt: int = 0
    _state: bytes | None = None

    def find(self, request: RenderRequest) -> None:
        """Takes up what an earlier attempt left, if it fits."""
        kept = self.keeper.found(_limit_bytes(request))
        if kept is None:
            return
        try:
            tensors = unseal(kept, self.conditions)
        except Refused as reason:
            self.keeper.refused(str(reason))
            return
        self._take_up(tensors)
        if self.is_between:
            self.keeper.resumed(self.steps_done)

    @property
    def is_between(self) -> bool:
        """Was it left when a segment was finished and the next not begun?"""
        return bool(self.finished) and self._state is None

    def finish(self, latents: "torch.Tensor") -> None:
        """The segment under way is done."""
        self.finished.append(latents.cpu())
        self.attempts.append(self.attempt)
        self.attempt = 0
        self.keeper.step_done(self.steps_done, self._pack)

    @property
    def steps_done(self) -> int:
        return len(self.finished) * self.steps

    def found(self, limit_bytes: int) -> bytes | None:
        """See `Keeper.found`; of the segment under way, once."""
        state, self._state = self._state, None
        return state if state and len(state) <= limit_bytes else None

    def resumed(self, step: int) -> None:
        """See `Keeper.resumed`."""
        self.keeper.resumed(self.steps_done + step)

    def refused(self, reason: str) -> None:
        """See `Keeper.refused`."""
        self.keeper.refused(reason)

    def step_done(self, step: int, pack: Callable[[], bytes]) -> None:
        """See `Keeper.step_done`."""
        self.keeper.step_done(self.steps_done + step, lambda: self._pack(pack()))

    def _pack(self, state: bytes = b"") -> bytes:
        import torch

        tensors = {f"segment.{index}": each for index, each in enumerate(self.finished)}
        tensors["attempts"] = torch.tensor([*self.attempts, self.attempt])
        if state:
            tensors["state"] = torch.frombuffer(bytearray(state), dtype=torch.uint8)
        return seal(tensors, self.conditions)

    def _take_up(self, tensors: Mapping[str, Any]) -> None:
        """Its digest was compared: these are tensors that `_pack` made."""
        *attempts, self.attempt = tensors["attempts"].tolist()
        self.attempts = attempts
        # Copied as torch allocates: see `checkpoints.restore`.
        self.finished = [tensors[f"segment.{index}"].clone() for index in range(len(attempts))]
        if "state" in tensors:
            self._state = tensors["state"].numpy().tobytes()


def _limit_bytes(request: RenderRequest) -> int:
    """More than can be kept of it: its frames, uncompressed."""
    return prod((request.frames, request.height, request.width, 3)) + HEADER_LIMIT_BYTES
