"""The stages of training; each reads what earlier ones left in the cache and leaves its own."""

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from safetensors.torch import load_file, save_file
from transformers import UMT5EncoderModel

from training.export import export_pipeline
from training.flow import Course, train_flow
from training.latents import encode_world, latent_statistics, load_buckets
from training.networks import build_text_encoder, build_tokenizer, build_transformer
from training.recipe import (
    BOTH,
    CACHE,
    CLIPS_PER_CACHE,
    DECODER,
    LATENT_SEEDS,
    RELEASE_FOLDER,
    VAE,
)
from training.vae import LATENT_CHANNELS, build_vae, train_decoder, train_vae


def make_vae() -> None:
    """Train the autoencoder."""
    _save(train_vae(CACHE, VAE), "vae")


def make_decoder() -> None:
    """Sharpen the decoder."""
    vae = _vae("vae")
    train_decoder(vae, CACHE, DECODER)
    _save(vae, "decoder")


def make_latents(seed: int) -> None:
    """Fill one cache of encoded clips."""
    encode_world(_vae("vae"), CACHE / f"latents-{seed}.safetensors", CLIPS_PER_CACHE, seed)


def make_both() -> None:
    """Train the text encoder together with one network for all noise levels."""
    torch.manual_seed(BOTH.seed)
    network, text_encoder = build_transformer(LATENT_CHANNELS), build_text_encoder()
    buckets = load_buckets([CACHE / f"latents-{seed}.safetensors" for seed in LATENT_SEEDS])
    train_flow(BOTH, network, text_encoder, build_tokenizer(), buckets, CACHE, train_text=True)
    _save(network, "both")
    _save(text_encoder, "text")


def make_expert(course: Course) -> None:
    """Train one expert from the common network, on its noise levels."""
    network = build_transformer(LATENT_CHANNELS)
    network.load_state_dict(load_file(CACHE / "both.safetensors"))
    buckets = load_buckets([CACHE / f"latents-{seed}.safetensors" for seed in LATENT_SEEDS])
    train_flow(course, network, _text(), build_tokenizer(), buckets, CACHE, train_text=False)
    _save(network, course.name)


def make_release(high: str = "high", low: str = "low", vae: str = "decoder") -> None:
    """Put the trained parts together in the folder that ships."""
    experts = []
    for name in (high, low):
        expert = build_transformer(LATENT_CHANNELS)
        expert.load_state_dict(load_file(CACHE / f"{name}.safetensors"))
        experts.append(expert)
    autoencoder = _vae(vae)
    mean, deviation = latent_statistics(CACHE / f"latents-{LATENT_SEEDS[0]}.safetensors")
    autoencoder.register_to_config(latents_mean=mean, latents_std=deviation)
    export_pipeline(RELEASE_FOLDER, autoencoder, _text(), build_tokenizer(), *experts)


def _vae(name: str) -> AutoencoderKLWan:
    vae = build_vae()
    vae.load_state_dict(load_file(CACHE / f"{name}.safetensors"))
    return vae


def _text() -> UMT5EncoderModel:
    text_encoder = build_text_encoder()
    text_encoder.load_state_dict(load_file(CACHE / "text.safetensors"), strict=False)
    return text_encoder.eval()


def _save(module: torch.nn.Module, name: str) -> None:
    tensors = {key: value.contiguous().clone() for key, value in module.state_dict().items()}
    save_file(tensors, CACHE / f"{name}.safetensors")
