"""What is asked of an engine, and the render key: the digest of everything that decides pixels."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Self

KEY_VERSION = "wan-render-key/1"
KEYS_REMEMBERED = 4096  # a shot under way is asked for its key a dozen times

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
        return _key_of(self)

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The request that `to_json` wrote."""
        return cls(**{**data, "sampling": Sampling(**data["sampling"])})


@lru_cache(maxsize=KEYS_REMEMBERED)
def _key_of(request: RenderRequest) -> str:
    decisive = {
        "version": KEY_VERSION,
        "release_identity": request.release_identity,
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "seed": request.seed,
        "width": request.width,
        "height": request.height,
        "frames": request.frames,
        "steps": request.sampling.steps,
        "guidance": float(request.sampling.guidance),
        "guidance_2": float(request.sampling.guidance_2),
        "flow_shift": float(request.sampling.flow_shift),
        "scheduler": request.sampling.scheduler,
        "max_sequence_length": request.sampling.max_sequence_length,
        "loras": request.sampling.loras,
    }
    # Left out where they are empty: keys from before there were options stay what they are.
    decisive |= {
        name: text
        for name, text in (
            ("engine", request.sampling.engine),
            ("options", request.sampling.options),
            ("segments", request.segments),
        )
        if text
    }
    return hashlib.sha256(_canonical(decisive).encode("ascii")).hexdigest()
