"""Weights that nodes fetch from a mirror into their caches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.node.fetch import fetch, present
from wan_pipelines.weights.node.fetching import Fetching
from wan_pipelines.weights.pins import Pin
from wan_pipelines.weights.sources import WeightsFolder, WeightsSource


@dataclass(frozen=True, slots=True)
class Supply:
    """What a deployment has weights fetched from, and how."""

    open_mirror: Callable[[], WeightsMirror] | None = None
    """Called when something is to be fetched, or looked for, there."""
    fetching: Fetching = field(default_factory=Fetching)
    allow_download: bool = False
    """May they come from a model hub?"""


@dataclass(frozen=True, slots=True)
class MirroredSource:
    """A set of weights in the mirror; where it is not there, `otherwise` is asked."""

    pin: Pin
    supply: Supply
    otherwise: WeightsSource | None = None

    def ensure(self, cache: Path, /) -> WeightsFolder:
        if self.otherwise and not present(cache, self.pin) and not self._mirror().find(self.pin):
            return self.otherwise.ensure(cache)
        folder, manifest = fetch(cache, self.pin, self._mirror, self.supply.fetching)
        return WeightsFolder(folder, manifest, verified=True)

    def present(self, cache: Path, /) -> Path | None:
        return present(cache, self.pin) or (
            self.otherwise.present(cache) if self.otherwise else None
        )

    def _mirror(self) -> WeightsMirror:
        if self.supply.open_mirror is None:
            raise WeightsError(
                f"The weights {self.pin.label} come from a store, and none is known here. "
                "Ask for them in an environment that has one."
            )
        return self.supply.open_mirror()
