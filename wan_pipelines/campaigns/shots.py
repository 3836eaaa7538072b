"""One video to be made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from wan_pipelines.engines.requests import RenderRequest


@dataclass(frozen=True, slots=True)
class Shot:
    """A request, and what does not decide its pixels: name, tier, frame rate, files wanted.

    `variables` are the values that were put into the prompt's template.
    """

    name: str
    request: RenderRequest
    tier: str
    fps: int
    renditions: tuple[str, ...]
    variables: Mapping[str, str]

    @property
    def render_key(self) -> str:
        """Digest of everything that decides the pixels; see `RenderRequest.key`."""
        return self.request.key

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        return {
            "name": self.name,
            "request": self.request.to_json(),
            "tier": self.tier,
            "fps": self.fps,
            "renditions": list(self.renditions),
            "variables": dict(self.variables),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The shot that `to_json` wrote."""
        return cls(
            name=data["name"],
            request=RenderRequest.from_json(data["request"]),
            tier=data["tier"],
            fps=data["fps"],
            renditions=tuple(data["renditions"]),
            variables=dict(data["variables"]),
        )
