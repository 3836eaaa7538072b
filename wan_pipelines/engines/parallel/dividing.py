"""Can the tokens and heads of a clip be divided among GPUs?"""

from wan_pipelines.engines.options.tier_options import ContextParallel


def undivided(parallel: ContextParallel, *, tokens: int, heads: int) -> str:
    """What cannot be divided evenly; empty if nothing is left over, or that does not matter.

    diffusers asserts both in the middle of a forward, unless it was told `ulysses_anything`.
    """
    if parallel.ulysses_anything:
        return ""
    left = [
        f"{number} {name}"
        for name, number in (("tokens", tokens), ("heads", heads))
        if number % parallel.ulysses_degree
    ]
    if not left:
        return ""
    return (
        f"{' and '.join(left)} do not divide among {parallel.ulysses_degree} GPUs; "
        "`ulysses_anything` lets them."
    )
