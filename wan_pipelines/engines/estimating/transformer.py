"""Work and size of an expert, counted from its dimensions.

A multiplication and an addition are two floating-point operations. For n tokens of width d, a text
of m tokens, L blocks and an FFN of width f, a forward takes

    projections     n (2 (4 + 2) d^2 + 4 d f) L + 4 m d^2 L
    self-attention  4 n^2 d L
    cross-attention 4 n m d L

The keys and values of cross-attention are counted over the text, not over the tokens.
"""

from wan_pipelines.engines.estimating.architecture import TransformerShape

BLOCK_BYTES = 300
"""Bytes that the norms, modulations, rotations, activations and residuals of a block read and
write per token and channel in 16-bit types: counted in diffusers' eager `WanTransformerBlock`
(three modulated norms 36 each less shared reads, two rotated tensors 40 each, two gated residuals
36 each, cross-attention 34, norms of q and k 16, GELU 11)."""
TIMESTEP_BYTES = 72
"""Where every token has a noise level: six float32 modulations are read, written, read again."""
BLOCK_OPERATIONS = 60
"""Kernels of a block, and as many again for what surrounds the blocks."""


def parameters(shape: TransformerShape) -> int:
    """Numbers an expert consists of."""
    d = shape.width
    attention = 2 * (4 * (d * d + d) + 2 * d)
    ffn = 2 * d * shape.ffn_dim + shape.ffn_dim + d
    block = attention + ffn + 2 * d + 6 * d
    time = shape.frequencies * d + d + d * d + d + 6 * (d * d + d)
    text = shape.text_dim * d + d + d * d + d
    values = shape.channels * _volume(shape)
    return shape.layers * block + time + text + (values * d + d) + (d * values + values) + 2 * d


def projection_flops(shape: TransformerShape, tokens: int, text_tokens: int) -> int:
    """All matrix products with weights, of one forward."""
    d = shape.width
    per_token = 12 * d * d + 4 * d * shape.ffn_dim
    per_text_token = 4 * d * d
    blocks = shape.layers * (tokens * per_token + text_tokens * per_text_token)
    patches = 4 * tokens * d * shape.channels * _volume(shape)
    text = 2 * text_tokens * (shape.text_dim * d + d * d)
    return blocks + patches + text + _timestep_flops(shape, tokens)


def attention_flops(shape: TransformerShape, tokens: int, text_tokens: int) -> int:
    """Products of queries with keys and values, of one forward."""
    return 4 * tokens * (tokens + text_tokens) * shape.width * shape.layers


def moved_bytes(shape: TransformerShape, tokens: int, element_bytes: int) -> float:
    """Bytes that what is no matrix product moves through memory, in one forward."""
    each = BLOCK_BYTES + (TIMESTEP_BYTES if shape.timestep_per_token else 0)
    return tokens * shape.width * shape.layers * each * element_bytes / 2


def operations(shape: TransformerShape) -> int:
    """Kernels of one forward, each of which has to be dispatched."""
    return BLOCK_OPERATIONS * (shape.layers + 1)


def _timestep_flops(shape: TransformerShape, tokens: int) -> int:
    levels = tokens if shape.timestep_per_token else 1
    return 2 * levels * (shape.frequencies * shape.width + 7 * shape.width**2)


def _volume(shape: TransformerShape) -> int:
    frames, rows, columns = shape.patch
    return frames * rows * columns
