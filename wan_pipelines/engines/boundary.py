"""What happens between two steps of a render."""

from collections.abc import Mapping

from wan_pipelines.engines.checkpoints import Refused, limit_bytes, pack, restore
from wan_pipelines.engines.denoising import Denoising
from wan_pipelines.engines.protocol import Keeper, OnStep
from wan_pipelines.errors import RenderError


class Boundary:
    """The state is looked at, kept, and reported; `resumed` steps were done before."""

    def __init__(
        self,
        run: Denoising,
        keeper: Keeper | None,
        conditions: Mapping[str, str],
        report: OnStep,
    ) -> None:
        self._run = run
        self._keeper = keeper
        self._conditions = conditions
        self._report = report
        self.resumed = 0

    def enter(self) -> None:
        """Goes on where an earlier attempt was left, if what is kept of it fits."""
        if self._keeper:
            self._resume(self._keeper)
        self._report(self._run.step, self._run.steps)

    def cross(self) -> None:
        """After a step."""
        import torch

        run = self._run
        if not torch.isfinite(run.latents).all():
            raise RenderError(
                f"Latents are not finite after step {run.step} of {run.steps}. Lower the "
                "guidance, or render with another seed.",
                stage="denoise",
            )
        if self._keeper:
            self._keeper.step_done(run.step, lambda: pack(run, self._conditions))
        self._report(run.step, run.steps)

    def _resume(self, keeper: Keeper) -> None:
        kept = keeper.found(limit_bytes(self._run))
        if kept is None:
            return
        try:
            restore(self._run, kept, self._conditions)
        except Refused as reason:
            keeper.refused(str(reason))
            return
        self.resumed = self._run.step
        keeper.resumed(self._run.step)
