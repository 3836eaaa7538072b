"""Work and size of a UMT5 encoder, counted from its dimensions."""

from wan_pipelines.engines.estimating.architecture import TextEncoderShape

BLOCK_OPERATIONS = 40


def parameters(shape: TextEncoderShape) -> int:
    """Numbers it consists of: every block has relative positions of its own."""
    inner = shape.heads * shape.head_dim
    attention = 4 * shape.width * inner + shape.buckets * shape.heads
    block = attention + 3 * shape.width * shape.ffn_dim + 2 * shape.width
    return shape.vocabulary * shape.width + shape.layers * block + shape.width


def flops(shape: TextEncoderShape, tokens: int) -> int:
    """Of one text that is padded to `tokens`."""
    inner = shape.heads * shape.head_dim
    per_token = 2 * (4 * shape.width * inner + 3 * shape.width * shape.ffn_dim)
    return shape.layers * (tokens * per_token + 4 * tokens * tokens * inner)


def operations(shape: TextEncoderShape) -> int:
    """Kernels of one text."""
    return BLOCK_OPERATIONS * (shape.layers + 1)
