"""The recipe: how long each stage trains, how fast, with which seed."""

from pathlib import Path

from training.flow import Course
from training.vae import VaePlan
from training.world import SIZES

RELEASE_FOLDER = Path("wan_pipelines/weights/checkpoints/wan-tiny")
SHEET = Path("docs/wan-tiny.png")
REPORT = Path("docs/wan-tiny.md")

VAE = VaePlan(steps=3200, horizon=3200, peak_rate=8e-4, window_share=1.0, latent_noise=0.1, seed=1)
DECODER = VaePlan(
    steps=1800, horizon=1800, peak_rate=1e-3, window_share=0.8, latent_noise=0.1, seed=2
)
CLIPS_PER_CACHE = 1800
NARROW_SEED = 3
LATENT_SEEDS = (11, 12)

SHORT = {9: 0.3, 13: 0.3, 17: 0.3, 25: 0.1}
ALL_LENGTHS = {9: 0.25, 13: 0.25, 17: 0.25, 25: 0.15, 33: 0.1}
ALL_NOISE, HIGH_NOISE, LOW_NOISE = (0.0, 1.0), (0.84, 1.0), (0.0, 0.9)

BOTH = Course("both", 1500, 1.5e-3, ALL_NOISE, SIZES, SHORT, seed=21, probed=True)
HIGH = Course("high", 1200, 1.2e-3, HIGH_NOISE, SIZES, ALL_LENGTHS, seed=22, probed=True)
LOW = Course("low", 1500, 1.2e-3, LOW_NOISE, SIZES, ALL_LENGTHS, seed=23)

# A second course from where the first ended, with a fresh course of the rate (SGDR,
# https://arxiv.org/abs/1608.03983): the first alone moves one object in six the wrong way.
HIGH_AGAIN = Course("high-again", 1000, 1e-3, HIGH_NOISE, SIZES, ALL_LENGTHS, seed=24, probed=True)
LOW_AGAIN = Course("low-again", 1000, 1e-3, LOW_NOISE, SIZES, ALL_LENGTHS, seed=25)
