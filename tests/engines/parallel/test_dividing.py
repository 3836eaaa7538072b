"""What can be divided among GPUs."""

from wan_pipelines.engines.options.tier_options import ContextParallel
from wan_pipelines.engines.parallel.dividing import undivided

TWO = ContextParallel(ulysses_degree=2)


def test_tokens_and_heads_divide_or_are_named() -> None:
    assert undivided(TWO, tokens=40, heads=2) == ""
    assert undivided(TWO, tokens=45, heads=2).startswith("45 tokens do not divide among 2 GPUs")
    assert undivided(TWO, tokens=45, heads=3).startswith("45 tokens and 3 heads do not divide")


def test_nothing_has_to_divide_where_diffusers_may_deal_unevenly() -> None:
    anything = ContextParallel(ulysses_degree=2, ulysses_anything=True)
    assert undivided(anything, tokens=45, heads=3) == ""


def test_the_shapes_of_wan_divide_among_the_gpus_of_a_node() -> None:
    """1280x720 with 81 frames: 21 latent frames of 45x80 patches."""
    for degree in (2, 4, 8):
        parallel = ContextParallel(ulysses_degree=degree)
        assert undivided(parallel, tokens=21 * 45 * 80, heads=40) == ""
