"""What is asked of an engine, and the render key: the digest of everything that decides pixels."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

KEY_VERSION = "wan-render-key/1"

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a tier denoises: the numbers, not its name.

    `guidance` belongs to the high-noise expert, `guidance_2` to the low-noise expert. `loras` is
    the digest of the low-rank weights that the tier adds, empty for none. `engine` is what the
    pipeline is loaded with and `options` what a warm one applies to this request: the `text` of
    `EngineOptions` and `RequestOptions`, empty for nothing.
    """

    steps: int
    guidance: float
    guidance_2: float
    flow_shift: float
    scheduler: str
    max_sequence_length: int
    loras: str = ""
    engine: str = ""
    options: str = ""


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """Everything that decides the pixels of a video, and nothing else.

    `release` is the name under which an engine is looked up; `release_identity` is the digest of
    what the name stands for, so that renaming a release does not render anything again. `segments`
    says how a video longer than the model draws at once is made (`Release.segments_text`), and is
    empty for others.
    """

    release: str
    release_identity: str
    prompt: str
    negative_prompt: str
    seed: int
    width: int
    height: int
    frames: int
    sampling: Sampling
    segments: str = ""

    @property
    def key(self) -> str:
        """Render key: SHA-256 (hex) of the canonical JSON of all fields but the release's name."""
        decisive = {
            "version": KEY_VERSION,
            "release_identity": self.release_identity,
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "seed": self.seed,
            "width": self.width,
            "height": self.height,
            "frames": self.frames,
            "steps": self.sampling.steps,
            "guidance": float(self.sampling.guidance),
            "guidance_2": float(self.sampling.guidance_2),
            "flow_shift": float(self.sampling.flow_shift),
            "scheduler": self.sampling.scheduler,
            "max_sequence_length": self.sampling.max_sequence_length,
            "loras": self.sampling.loras,
        }
        # Left out where they are empty: keys from before there were options stay what they are.
        decisive |= {
            name: text
            for name, text in (
                ("engine", self.sampling.engine),
                ("options", self.sampling.options),
                ("segments", self.segments),
            )
            if text
        }
        return hashlib.sha256(_canonical(decisive).encode("ascii")).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The request that `to_json` wrote."""
        return cls(**{**data, "sampling": Sampling(**data["sampling"])})
