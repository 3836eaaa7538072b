"""A long video, segment by segment: drawn, checked where it meets the one before, and joined."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Protocol

from wan_pipelines.engines.protocol import (
    Compilation,
    Footage,
    Keeper,
    OnStep,
    StageSeconds,
)
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.engines.segments.canvas import Canvas
from wan_pipelines.engines.segments.declared import SeamLimits
from wan_pipelines.engines.segments.keeping import FORMAT, ChainKeeper
from wan_pipelines.engines.segments.pieces import Piece, derived_seed
from wan_pipelines.engines.segments.seams import Meeting, Seam, meet
from wan_pipelines.errors import RenderError

if TYPE_CHECKING:
    import numpy as np
    import torch

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A clip, and the latents that it can be decoded from again."""

    footage: Footage
    latents: "torch.Tensor"


class Drawer(Protocol):
    """What draws single clips."""

    def draw(
        self,
        request: RenderRequest,
        on_step: OnStep,
        keeper: Keeper | None,
        tail: "np.ndarray | None",
    ) -> Drawn:
        """As `Engine.render`; with a `tail`, a clip whose first frames are these."""
        ...

    def develop(self, latents: "torch.Tensor", request: RenderRequest, *, first: bool) -> Drawn:
        """What `draw` made of these latents; `first` of those of a clip without a tail."""
        ...

    def conditions(self, request: RenderRequest) -> Mapping[str, str]:
        """All that the latents of `request` depend on."""
        ...


@dataclass(kw_only=True)
class Chain:
    """The drawing of one long video; `requests` are those of its segments, at their first attempt.

    A segment that does not fit is drawn again with another seed, as often as `limits` allow.
    """

    drawer: Drawer
    request: RenderRequest
    pieces: tuple[Piece, ...]
    requests: tuple[RenderRequest, ...]
    limits: SeamLimits
    on_step: OnStep
    keeper: ChainKeeper | None
    seams: list[Seam] = field(default_factory=list)
    _footage: list[Footage] = field(default_factory=list)

    def render(self) -> Footage:
        """See `Engine.render`; RenderError when a seam does not hold, however often drawn."""
        request = self.request
        canvas = Canvas(request.frames, request.height, request.width)
        kept = self._take_up()
        before: np.ndarray | None = None
        for index, piece in enumerate(self.pieces):
            if index < len(kept):
                before = self._developed(index, kept[index], before)
            else:
                before = self._drawn(index, before)
            canvas.add(before[piece.overlap :])
        return replace(self._sum(), frames=canvas.frames, seams=tuple(self.seams))

    def _take_up(self) -> "list[torch.Tensor]":
        """Segments that an earlier attempt finished."""
        if self.keeper is None:
            return []
        self.keeper.find(self.request)
        if self.keeper.is_between:
            self.on_step(self.keeper.steps_done, len(self.pieces) * self.keeper.steps)
        return list(self.keeper.finished)

    def _developed(
        self, index: int, latents: "torch.Tensor", before: "np.ndarray | None"
    ) -> "np.ndarray":
        """A segment that an earlier attempt finished."""
        assert self.keeper
        drawn = self.drawer.develop(latents, self.requests[index], first=index == 0)
        self._count(drawn)
        if before is not None:
            attempts = self.keeper.attempts[index] + 1
            self._note(index, self._meeting(index, before, drawn), attempts)
        return drawn.footage.frames

    def _drawn(self, index: int, before: "np.ndarray | None") -> "np.ndarray":
        """Drawn until it fits, from the attempt that it is at."""
        piece = self.pieces[index]
        tail = None if before is None else before[-piece.overlap :]
        first = self.keeper.attempt if self.keeper else 0
        failed = ""
        for attempt in range(first, self.limits.attempts):
            if self.keeper:
                self.keeper.attempt = attempt
            drawn = self._attempt(index, attempt, tail)
            self._count(drawn)
            meeting = None if before is None else self._meeting(index, before, drawn)
            if meeting is None or self._holds(meeting):
                self._finish(index, drawn, meeting, attempt + 1)
                return drawn.footage.frames
            failed = self._told(index, meeting, attempt + 1)
            log.warning("%s", failed)
        raise RenderError(
            f"{failed} Choose another seed, or a larger overlap or other limits in the release's "
            "`segments`.",
            stage="decode",
        )

    def _finish(self, index: int, drawn: Drawn, meeting: Meeting | None, attempts: int) -> None:
        if meeting:
            self._note(index, meeting, attempts)
        if self.keeper:
            self.keeper.finish(drawn.latents)

    def _attempt(self, index: int, attempt: int, tail: "np.ndarray | None") -> Drawn:
        seed = derived_seed(self.request.seed, index, attempt)
        request = replace(self.requests[index], seed=seed)
        steps = request.sampling.steps
        done, total = index * steps, len(self.pieces) * steps
        return self.drawer.draw(
            request, lambda step, _: self.on_step(done + step, total), self.keeper, tail
        )

    def _meeting(self, index: int, before: "np.ndarray", drawn: Drawn) -> Meeting:
        return meet(before, drawn.footage.frames, self.pieces[index].overlap)

    def _holds(self, meeting: Meeting) -> bool:
        limits = self.limits
        return meeting.psnr_db >= limits.psnr_db and meeting.motion <= limits.motion

    def _note(self, index: int, meeting: Meeting, attempts: int) -> None:
        frame = sum(piece.new for piece in self.pieces[:index])
        self.seams.append(Seam(index + 1, frame, meeting.psnr_db, meeting.motion, attempts))

    def _told(self, index: int, meeting: Meeting, attempts: int) -> str:
        return (
            f"Segment {index + 1} of {len(self.pieces)} does not continue the one before: "
            f"{meeting.psnr_db:.1f} dB of likeness (at least {self.limits.psnr_db:g}), "
            f"{meeting.motion:.1f} times the usual motion (at most {self.limits.motion:g}), drawn "
            f"{attempts} time{'s' * (attempts > 1)}."
        )

    def _count(self, drawn: Drawn) -> None:
        footage = drawn.footage
        self._footage.append(replace(footage, frames=footage.frames[:0].copy()))

    def _sum(self) -> Footage:
        return reduce(_joined, self._footage)


def render_chain(
    drawer: Drawer,
    request: RenderRequest,
    pieces: tuple[Piece, ...],
    requests: tuple[RenderRequest, ...],
    limits: SeamLimits,
    *,
    on_step: OnStep,
    keeper: Keeper | None = None,
) -> Footage:
    """The footage of a request that has segments."""
    chain_keeper = None
    if keeper:
        kept_under = {
            "format": FORMAT,
            "render key": request.key,
            **drawer.conditions(request),
        }
        chain_keeper = ChainKeeper(
            keeper=keeper, conditions=kept_under, steps=request.sampling.steps
        )
    return Chain(
        drawer=drawer,
        request=request,
        pieces=pieces,
        requests=requests,
        limits=limits,
        on_step=on_step,
        keeper=chain_keeper,
    ).render()


def _joined(one: Footage, other: Footage) -> Footage:
    """Seconds and steps of both, of which neither has frames."""
    names = StageSeconds.__dataclass_fields__
    stages = {name: getattr(one.stages, name) + getattr(other.stages, name) for name in names}
    code = (one.compilation, other.compilation)
    return Footage(
        one.frames,
        StageSeconds(**stages),
        one.steps + other.steps,
        max(one.peak_memory_bytes, other.peak_memory_bytes),
        Compilation(
            tuple(dict.fromkeys(digest for each in code for digest in each.artifacts)),
            next((each.missed for each in code if each.missed), ""),
        ),
    )
