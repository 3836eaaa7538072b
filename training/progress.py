"""What all training runs share: the learning rate's course, reports, and states to resume from."""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

CACHE = Path(__file__).parent / ".cache"
REPORT_EVERY = 50
WARM_UP_STEPS = 50


def cosine_rate(step: int, horizon: int) -> float:
    """Share of the peak rate: a linear warm-up, then a cosine down to 2 % at the horizon."""
    if step < WARM_UP_STEPS:
        return (step + 1) / WARM_UP_STEPS
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / horizon)))


def report(name: str, step: int, steps: int, losses: list[float], begun: float) -> None:
    """Print the mean of the latest losses and the seconds since `begun` (monotonic clock)."""
    mean = float(np.mean(losses[-REPORT_EVERY:]))
    print(f"{name} {step}/{steps} loss {mean:.4f} {time.monotonic() - begun:.0f}s", flush=True)


def save_state(state: dict[str, Any], file: Path) -> None:
    """Write a state whole or not at all."""
    partial = file.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(file)


def note_minutes(stage: str, minutes: float) -> None:
    """Add processor minutes to what earlier, interrupted runs of the stage took."""
    file = CACHE / f"{stage}.minutes"
    before = float(file.read_text()) if file.exists() else 0.0
    file.write_text(f"{before + minutes:.2f}")


def noted_minutes() -> dict[str, float]:
    """Processor minutes of each stage, in the order they ended."""
    files = sorted(CACHE.glob("*.minutes"), key=lambda file: file.stat().st_mtime)
    return {file.stem: float(file.read_text()) for file in files}
