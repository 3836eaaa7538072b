"""Prompt fidelity: does a clip show what its prompt asks for?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from wan_pipelines.encoding.tiny_world import parse_prompt

if TYPE_CHECKING:
    import numpy as np

ScorerName = Literal["tiny-world"]
PARTS = ("shape", "colour", "background", "motion")


@dataclass(frozen=True, slots=True)
class FidelityScore:
    """How far a clip shows what its prompt asks for.

    A part is None where the prompt does not say; `overall` is the share, in 0..1, of the asked
    parts that are seen, and None when the prompt asks for nothing that can be checked.
    `note` tells a person what was asked and what is seen.
    """

    overall: float | None
    shape: bool | None
    colour: bool | None
    background: bool | None
    motion: bool | None
    note: str


class Scorer(Protocol):
    """Measures the prompt fidelity of clips of one release."""

    def score(self, frames: np.ndarray, prompt: str) -> FidelityScore:
        """Score a clip `uint8 (T, H, W, 3)` against the prompt it was made from."""
        ...


def scorer_named(name: ScorerName) -> Scorer:
    """The scorer that a release declares."""
    match name:
        case "tiny-world":
            return TinyWorldScorer()


class TinyWorldScorer:
    """The scorer of the release `wan-tiny`, by measuring colours, outlines and paths."""

    def score(self, frames: np.ndarray, prompt: str) -> FidelityScore:
        """Score a clip `uint8 (T, H, W, 3)` against a prompt about the tiny world."""
        from wan_pipelines.encoding.tiny_world_vision import look

        asked = parse_prompt(prompt)
        wanted = {part: getattr(asked, part) for part in PARTS}
        if not any(wanted.values()):
            return FidelityScore(
                overall=None,
                shape=None,
                colour=None,
                background=None,
                motion=None,
                note="The prompt asks for nothing that the tiny world knows.",
            )
        seen = look(frames)
        shown = {part: getattr(seen, part) for part in PARTS}
        verdicts = {
            part: None if wanted[part] is None else wanted[part] == shown[part] for part in PARTS
        }
        given = [verdict for verdict in verdicts.values() if verdict is not None]
        return FidelityScore(
            overall=sum(given) / len(given),
            **verdicts,
            note="; ".join(
                f"{part}: asked {wanted[part]}, seen {shown[part] or 'none'}"
                for part in PARTS
                if wanted[part] is not None
            ),
        )
