"""`python -m training` makes the `wan-tiny` checkpoint from nothing.

`python -m training STAGE` repeats one stage with what the cache holds. Stages that do not wait
for each other run side by side, one thread each: on two cores that beats one stage on two threads.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable

from training import stages
from training.progress import CACHE, note_minutes
from training.recipe import BOTH, HIGH, HIGH_AGAIN, LATENT_SEEDS, LOW, LOW_AGAIN

PARALLEL_STAGES: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("vae", "narrow"),),
    tuple((f"latents-{seed}",) for seed in LATENT_SEEDS),
    (("decoder",), ("both",)),
    (("high", "high-again"), ("low", "low-again")),
    (("release",),),
    (
        ("scores-size", "scores-frames", "scores-sequence length"),
        ("scores-guidance", "scores-style"),
    ),
    (("card",),),
)


def main() -> None:
    """Run all stages, or those named on the command line."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if len(sys.argv) > 1:
        for name in sys.argv[1:]:
            run_stage(name)
        return
    begun = time.monotonic()
    for group in PARALLEL_STAGES:
        run_together(group)
    print(f"from nothing in {(time.monotonic() - begun) / 60:.0f} minutes")


def run_together(group: tuple[tuple[str, ...], ...]) -> None:
    """Start one process for each list of stages and wait for all."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    begun = time.monotonic()
    running = [
        subprocess.Popen([sys.executable, "-m", "training", *names], env=environment)
        for names in group
    ]
    failed = [process.args for process in running if process.wait() != 0]
    if failed:
        raise SystemExit(f"failed: {failed}; run again to continue from the last saved states")
    print(f"{group}: {(time.monotonic() - begun) / 60:.1f} minutes", flush=True)


def run_stage(name: str) -> None:
    """Run one stage in this process and note how much processor time it took."""
    simple: dict[str, Callable[[], None]] = {
        "vae": stages.make_vae,
        "narrow": stages.make_narrow,
        "decoder": stages.make_decoder,
        "both": stages.make_both,
        "high": lambda: stages.make_expert(HIGH, start=BOTH.name),
        "low": lambda: stages.make_expert(LOW, start=BOTH.name),
        "high-again": lambda: stages.make_expert(HIGH_AGAIN, start=HIGH.name),
        "low-again": lambda: stages.make_expert(LOW_AGAIN, start=LOW.name),
        "release": stages.make_release,
        "card": stages.make_card,
    }
    begun = time.process_time()
    if name.startswith("latents-"):
        stages.make_latents(int(name.removeprefix("latents-")))
    elif name.startswith("scores-"):
        stages.make_scores(name.removeprefix("scores-"))
    else:
        simple[name]()
    note_minutes(name, (time.process_time() - begun) / 60)


if __name__ == "__main__":
    main()
