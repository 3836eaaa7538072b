"""Work and size of a causal video VAE, counted convolution by convolution.

The decoder draws one latent frame at a time (four frames, the first time one) and keeps the last
two frames of every causal convolution's input for the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from wan_pipelines.engines.estimating.architecture import VaeShape

KEPT_FRAMES = 2
FLOAT_BYTES = 4
TILE_PIXELS = 256
"""Side of a tile of diffusers' tiled decoding; neighbours overlap by a quarter."""
TILE_STRIDE_PIXELS = 192


@dataclass(frozen=True, slots=True)
class Clip:
    """What is decoded: `frames` of `height` x `width` pixels."""

    width: int
    height: int
    frames: int


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution over `frames` of `rows` x `columns`; `causal` ones keep frames.

    `live` is how many channels are in memory at once around it: a residual block holds its
    shortcut, its input, that with two earlier frames, the same padded, and its result.
    """

    inputs: int
    outputs: int
    kernel: int
    frames: int
    rows: int
    columns: int
    causal: bool = False
    normed: int = 0
    live: int = 0

    @property
    def parameters(self) -> int:
        return self.inputs * self.outputs * self.kernel + self.outputs + self.normed

    @property
    def flops(self) -> int:
        return 2 * self.inputs * self.outputs * self.kernel * self.positions

    @property
    def positions(self) -> int:
        return self.frames * self.rows * self.columns


def decoder_flops(shape: VaeShape, clip: Clip) -> int:
    """Of decoding a clip whole."""
    layers = sum(layer.flops for layer in _decoder(shape, clip))
    rows, columns, latents = _latents(shape, clip)
    width = shape.decoder_base * shape.multipliers[-1]
    return layers + 4 * latents * (rows * columns) ** 2 * width


def decoder_bytes(shape: VaeShape, clip: Clip) -> int:
    """Peak of decoding a clip whole in float32, beside the weights.

    Kept frames, the video twice (it grows by concatenation), and the widest residual block.
    """
    layers = list(_decoder(shape, clip))
    kept = sum(
        KEPT_FRAMES * layer.inputs * layer.rows * layer.columns for layer in layers if layer.causal
    )
    chunk = shape.temporal_factor
    latents = _latents(shape, clip)[2]
    live = max(
        layer.live * layer.rows * layer.columns * min(chunk, ceil(layer.frames / latents))
        for layer in layers
    )
    return FLOAT_BYTES * (kept + live) + 2 * video_bytes(clip)


def tiles(clip: Clip) -> tuple[Clip, ...]:
    """The parts that tiled decoding draws one after the other, the first the largest.

    A clip no larger than a tile is decoded whole; the tiles at the far edges are cut off.
    """
    if max(clip.width, clip.height) <= TILE_PIXELS:
        return (clip,)
    return tuple(
        Clip(min(TILE_PIXELS, clip.width - left), min(TILE_PIXELS, clip.height - top), clip.frames)
        for top in range(0, clip.height, TILE_STRIDE_PIXELS)
        for left in range(0, clip.width, TILE_STRIDE_PIXELS)
    )


def video_bytes(clip: Clip) -> int:
    """The decoded video as float32."""
    return FLOAT_BYTES * 3 * clip.frames * clip.width * clip.height


def operations(shape: VaeShape, clip: Clip) -> int:
    """Kernels of decoding a clip; eight for a convolution with its norm, activation and padding."""
    latents = _latents(shape, clip)[2]
    return 8 * latents * sum(1 for _ in _decoder(shape, clip))


def parameters(shape: VaeShape) -> int:
    """Numbers the VAE consists of, encoder included."""
    clip = Clip(shape.spatial_factor, shape.spatial_factor, 1)
    layers = (*_decoder(shape, clip), *_encoder(shape))
    both = 2 * shape.latent
    quantisers = both * both + both + shape.latent
    return sum(layer.parameters for layer in layers) + quantisers + shape.latent**2


def _latents(shape: VaeShape, clip: Clip) -> tuple[int, int, int]:
    """Rows, columns and frames of a clip's latents."""
    return (
        clip.height // shape.spatial_factor,
        clip.width // shape.spatial_factor,
        (clip.frames - 1) // shape.temporal_factor + 1,
    )


def _decoder(shape: VaeShape, clip: Clip) -> Iterator[Layer]:
    rows, columns, frames = _latents(shape, clip)
    widths = [
        shape.decoder_base * times for times in (shape.multipliers[-1:] + shape.multipliers[::-1])
    ]
    grows = shape.halves_time[::-1]
    yield Layer(shape.latent, widths[0], 27, frames, rows, columns, causal=True)
    yield from _middle(widths[0], frames, rows, columns)
    outputs = widths[0]
    for level, (inputs, outputs) in enumerate(pairwise(widths)):
        into = inputs // 2 if level and not shape.residual else inputs
        for block in range(shape.blocks + 1):
            yield from _residual(outputs if block else into, outputs, frames, rows, columns)
        if level < len(shape.multipliers) - 1:
            if grows[level]:
                yield Layer(outputs, 2 * outputs, 3, frames, rows, columns, causal=True)
                frames = 2 * frames - 1
            rows, columns = 2 * rows, 2 * columns
            upsampled = outputs if shape.residual else outputs // 2
            live = outputs + upsampled
            yield Layer(outputs, upsampled, 9, frames, rows, columns, live=live)
    image = 3 * shape.pixels**2
    yield Layer(outputs, image, 27, frames, rows, columns, causal=True, normed=outputs)


def _encoder(shape: VaeShape) -> Iterator[Layer]:
    """Only its size matters: nothing is encoded."""
    widths = [shape.base * times for times in (1, *shape.multipliers)]
    yield Layer(3 * shape.pixels**2, widths[0], 27, 1, 1, 1)
    outputs = widths[0]
    for level, (inputs, outputs) in enumerate(pairwise(widths)):
        for block in range(shape.blocks):
            yield from _residual(outputs if block else inputs, outputs, 1, 1, 1)
        if level < len(shape.multipliers) - 1:
            yield Layer(outputs, outputs, 9, 1, 1, 1)
            if shape.halves_time[level]:
                yield Layer(outputs, outputs, 3, 1, 1, 1)
    yield from _middle(outputs, 1, 1, 1)
    yield Layer(outputs, 2 * shape.latent, 27, 1, 1, 1, normed=outputs)


def _middle(width: int, frames: int, rows: int, columns: int) -> Iterator[Layer]:
    yield from _residual(width, width, frames, rows, columns)
    yield Layer(width, 3 * width, 1, frames, rows, columns, normed=width)
    yield Layer(width, width, 1, frames, rows, columns)
    yield from _residual(width, width, frames, rows, columns)


def _residual(inputs: int, outputs: int, frames: int, rows: int, columns: int) -> Iterator[Layer]:
    live = 4 * inputs + 2 * outputs
    yield Layer(inputs, outputs, 27, frames, rows, columns, causal=True, normed=inputs, live=live)
    yield Layer(outputs, outputs, 27, frames, rows, columns, causal=True, normed=outputs)
    if inputs != outputs:
        yield Layer(inputs, outputs, 1, frames, rows, columns)
