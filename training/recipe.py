"""The recipe: how long each stage trains, how fast, with which seed."""

from pathlib import Path

from training.flow import Course
from training.vae import VaePlan

RELEASE_FOLDER = Path("wan_pipelines/weights/checkpoints/wan-tiny")
SHEET = Path("docs/wan-tiny.png")
REPORT = Path("docs/wan-tiny.md")

VAE = VaePlan(steps=2400, horizon=2800, peak_rate=8e-4, window_share=1.0, latent_noise=0.1, seed=1)
DECODER = VaePlan(
    steps=1600, horizon=1600, peak_rate=6e-4, window_share=0.75, latent_noise=0.1, seed=2
)
CLIPS_PER_CACHE = 1800
LATENT_SEEDS = (11, 12)

ALL_LENGTHS = {9: 0.25, 13: 0.25, 17: 0.25, 25: 0.15, 33: 0.1}
# Where noise hides everything, a network finds out the time of a frame the sooner the fewer
# frames there are; so the experts begin with short clips.
SHORT = {9: 0.3, 13: 0.35, 17: 0.35}
HIGH_NOISE, LOW_NOISE = (0.84, 1.0), (0.0, 0.9)

BOTH = Course("both", 1000, 1.5e-3, (0.0, 1.0), ALL_LENGTHS, seed=21)
HIGH_SHORT = Course("high-short", 1500, 1.5e-3, HIGH_NOISE, SHORT, seed=22)
LOW_SHORT = Course("low-short", 1500, 1.2e-3, LOW_NOISE, SHORT, seed=23)
HIGH = Course("high", 1000, 1e-3, HIGH_NOISE, ALL_LENGTHS, seed=24)
LOW = Course("low", 1000, 1e-3, LOW_NOISE, ALL_LENGTHS, seed=25)
