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
CLIPS_PER_CACHE = 2400
LATENT_SEEDS = (11, 12)

BOTH = Course("both", steps=1400, peak_rate=1.5e-3, sigmas=(0.0, 1.0), seed=21)
HIGH = Course("high", steps=1500, peak_rate=1e-3, sigmas=(0.84, 1.0), seed=22)
LOW = Course("low", steps=1500, peak_rate=1.2e-3, sigmas=(0.0, 0.9), seed=23)
