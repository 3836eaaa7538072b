"""The stages of training; each reads what earlier ones left in the cache and leaves its own."""

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from safetensors.torch import load_file, save_file
from transformers import UMT5EncoderModel

from training.card import load_scores, save_scores, table_of, write_words
from training.evaluate import (
    GUIDANCE,
    SEQUENCE_LENGTH,
    STEPS,
    Setting,
    evaluate,
    load_pipeline,
    seconds_per_clip,
    settings_to_measure,
)
from training.export import export_pipeline, write_manifest
from training.flow import Course, train_flow
from training.latents import encode_world, latent_statistics, load_buckets
from training.narrow import narrow_vae, principal_axes
from training.networks import build_text_encoder, build_tokenizer, build_transformer
from training.progress import CACHE, noted_minutes
from training.recipe import (
    BOTH,
    CLIPS_PER_CACHE,
    DECODER,
    HIGH_AGAIN,
    LATENT_SEEDS,
    LOW_AGAIN,
    NARROW_SEED,
    RELEASE_FOLDER,
    REPORT,
    SHEET,
    VAE,
)
from training.sheet import draw_sheet
from training.vae import (
    LATENT_CHANNELS,
    WIDE_CHANNELS,
    build_vae,
    draw_batch,
    encode_mean,
    train_decoder,
    train_vae,
)
from training.world import FRAMES, SIZES


def make_vae() -> None:
    """Train the autoencoder."""
    _save(train_vae(CACHE, VAE), "vae")


def make_narrow() -> None:
    """Cut the latents down to the channels that mean something."""
    vae = _vae("vae", WIDE_CHANNELS)
    batches = [draw_batch(np.random.default_rng((NARROW_SEED, index)), None) for index in range(40)]
    with torch.no_grad():
        latents = [encode_mean(vae, batch.clips).transpose(0, 1).flatten(1) for batch in batches]
    axes = principal_axes(vae, torch.cat(latents, 1), LATENT_CHANNELS)
    _save(narrow_vae(vae, axes), "narrow")


def make_decoder() -> None:
    """Sharpen the decoder."""
    vae = _vae("narrow")
    train_decoder(vae, CACHE, DECODER)
    _save(vae, "decoder")


def make_latents(seed: int) -> None:
    """Fill one cache of encoded clips."""
    encode_world(_vae("narrow"), CACHE / f"latents-{seed}.safetensors", CLIPS_PER_CACHE, seed)


def make_both() -> None:
    """Train the text encoder together with one network for all noise levels."""
    torch.manual_seed(BOTH.seed)
    network, text_encoder = build_transformer(LATENT_CHANNELS), build_text_encoder()
    buckets = load_buckets([CACHE / f"latents-{seed}.safetensors" for seed in LATENT_SEEDS])
    train_flow(BOTH, network, text_encoder, build_tokenizer(), buckets, CACHE, train_text=True)
    _save(network, "both")
    _save(text_encoder, "text")


def make_expert(course: Course, start: str) -> None:
    """Train one expert on its noise levels, from the network of an earlier stage."""
    network = build_transformer(LATENT_CHANNELS)
    network.load_state_dict(load_file(CACHE / f"{start}.safetensors"))
    buckets = load_buckets([CACHE / f"latents-{seed}.safetensors" for seed in LATENT_SEEDS])
    train_flow(course, network, _text(), build_tokenizer(), buckets, CACHE, train_text=False)
    _save(network, course.name)


def make_release() -> None:
    """Put the trained parts together in the folder that ships."""
    experts = []
    for name in (HIGH_AGAIN.name, LOW_AGAIN.name):
        expert = build_transformer(LATENT_CHANNELS)
        expert.load_state_dict(load_file(CACHE / f"{name}.safetensors"))
        experts.append(expert)
    autoencoder = _vae("decoder")
    mean, deviation = latent_statistics(CACHE / f"latents-{LATENT_SEEDS[0]}.safetensors")
    autoencoder.register_to_config(latents_mean=mean, latents_std=deviation)
    export_pipeline(RELEASE_FOLDER, autoencoder, _text(), build_tokenizer(), *experts)


def make_scores(table: str) -> None:
    """Measure the release on the settings of one table."""
    pipeline = load_pipeline(RELEASE_FOLDER)
    rows = [evaluate(pipeline, setting) for setting in settings_to_measure()[table]]
    save_scores(rows, CACHE / f"scores-{table}.json")
    print(table_of(table, rows), flush=True)


def make_card() -> None:
    """Write model card, report, contact sheet and, last, the manifest."""
    pipeline = load_pipeline(RELEASE_FOLDER)
    draw_sheet(pipeline, SHEET)
    minutes = noted_minutes()
    facts = {
        "guidance": str(GUIDANCE),
        "steps": str(STEPS),
        "sequence": str(SEQUENCE_LENGTH),
        "sizes": ", ".join(f"{width} x {height}" for height, width in SIZES),
        "frames": ", ".join(map(str, FRAMES)),
        "minutes": f"{sum(minutes.values()):.0f}",
        "stages": "\n".join(f"| {stage} | {taken:.1f} |" for stage, taken in minutes.items()),
        "seconds": "\n".join(
            f"| {size[1]} x {size[0]}, {frames} frames "
            f"| {seconds_per_clip(pipeline, Setting(size=size, frames=frames)):.2f} |"
            for size in SIZES
            for frames in FRAMES
        ),
        "megabytes": f"{_weights_bytes() / 1e6:.1f}",
        "parameters": f"{_weights_bytes() / 2e6:.1f}",
    }
    tables = {name: load_scores(CACHE / f"scores-{name}.json") for name in settings_to_measure()}
    write_words("report.md", REPORT, tables, facts)
    write_words("model-card.md", RELEASE_FOLDER / "README.md", tables, facts)
    print(f"revision {write_manifest(RELEASE_FOLDER)}")


def _weights_bytes() -> int:
    return sum(file.stat().st_size for file in RELEASE_FOLDER.rglob("*.safetensors"))


def _vae(name: str, channels: int = LATENT_CHANNELS) -> AutoencoderKLWan:
    vae = build_vae(channels)
    vae.load_state_dict(load_file(CACHE / f"{name}.safetensors"))
    return vae


def _text() -> UMT5EncoderModel:
    text_encoder = build_text_encoder()
    text_encoder.load_state_dict(load_file(CACHE / "text.safetensors"), strict=False)
    return text_encoder.eval()


def _save(module: torch.nn.Module, name: str) -> None:
    tensors = {key: value.contiguous().clone() for key, value in module.state_dict().items()}
    save_file(tensors, CACHE / f"{name}.safetensors")
