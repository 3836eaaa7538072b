"""Footings: what a request is drawn as on each rung of its release's ladder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from wan_pipelines.engines.ladder.rungs import Rung
from wan_pipelines.engines.options.tier_options import EngineOptions, RequestOptions, VaeTiling
from wan_pipelines.engines.requests import RenderRequest, Sampling
from wan_pipelines.errors import ExhaustionKind

if TYPE_CHECKING:
    from wan_pipelines.engines.releases import Release

IdleModels = Literal["model", "group"]


@dataclass(frozen=True, slots=True)
class Footing:
    """`request` is what the engine is asked; without `rungs` it is what was asked for.

    `offload` is how the engine is loaded, `tier` the lighter tier; empty: as the release and the
    request say. Pixels change if and only if the request's key does.
    """

    request: RenderRequest
    rungs: tuple[str, ...] = ()
    offload: IdleModels | None = None
    tier: str = ""

    @property
    def lighter(self) -> tuple[str, str]:
        """Release and lighter tier: what draws less is another."""
        return self.request.release, self.tier

    @property
    def name(self) -> str:
        """The lowest rung; empty for what was asked for."""
        return self.rungs[-1] if self.rungs else ""


def footings(
    request: RenderRequest,
    releases: Mapping[str, "Release"],
    *,
    on_gpu: bool,
    exact: bool = False,
) -> tuple[Footing, ...]:
    """What was asked for, then each rung that changes something here, from the top down.

    With `exact` only such rungs as draw the same pixels. A rung of a lighter release is left out
    where that cannot draw the shape.
    """
    release = releases[request.release]
    found = [Footing(request)]
    used: list[Rung] = []
    for rung in release.ladder:
        lower = _footing(request, [*used, rung], releases, on_gpu=on_gpu)
        if lower is None or _same(lower, found[-1]):
            continue
        if exact and lower.request.key != request.key:
            continue
        used.append(rung)
        found.append(lower)
    return tuple(found)


def next_lower(ladder: Sequence[Footing], footing: Footing, kind: ExhaustionKind) -> Footing | None:
    """Where to go from a footing; after a time-out only to what is less work."""
    below = ladder[[each.name for each in ladder].index(footing.name) + 1 :]
    if kind == "time":
        return next((each for each in below if each.lighter != footing.lighter), None)
    return next(iter(below), None)


def one_higher(ladder: Sequence[Footing], name: str) -> Footing:
    """The footing above the one of that name; the top has none above."""
    return ladder[max(0, position(ladder, name) - 1)]


def position(ladder: Sequence[Footing], name: str) -> int:
    """Which footing has that name; the top, where the ladder has been changed since."""
    return next((at for at, each in enumerate(ladder) if each.name == name), 0)


def lowered(release: "Release", footing: Footing) -> "Release":
    """The release as it is loaded for a footing: same identity, other memory.

    Compiled blocks hold on to their weights, so that offloading takes none.
    """
    if footing.offload is None:
        return release
    changed = {"offload": footing.offload, "compiled": None}
    tiers = {name: tier.model_copy(update=changed) for name, tier in release.tiers.items()}
    return release.model_copy(update={"tiers": tiers})


def _same(one: Footing, other: Footing) -> bool:
    return (one.request, one.offload) == (other.request, other.offload)


def _footing(
    request: RenderRequest,
    rungs: Sequence[Rung],
    releases: Mapping[str, "Release"],
    *,
    on_gpu: bool,
) -> Footing | None:
    """All of the rungs together on what was asked for; None where the last does not apply."""
    lighter = next((rung for rung in reversed(rungs) if rung.tier), None)
    drawn = _drawn_by(request, lighter, releases)
    if drawn is None:
        return None
    release = releases[drawn.release]
    offload = _offload(rungs, release, drawn.sampling) if on_gpu else None
    options = _options(
        RequestOptions.parse(drawn.sampling.options),
        tiles=None if release.vae_tiling else _tiles(rungs, request),
        without_cache=any(rung.without_cache for rung in rungs),
        eager=offload is not None,
    )
    sampling = replace(drawn.sampling, options=options.text)
    return Footing(
        replace(drawn, sampling=sampling),
        tuple(rung.name for rung in rungs),
        offload,
        (lighter and lighter.tier) or "",
    )


def _drawn_by(
    request: RenderRequest, lighter: Rung | None, releases: Mapping[str, "Release"]
) -> RenderRequest | None:
    """The request in a lighter tier; None where its release cannot draw the shape."""
    if lighter is None or lighter.tier is None:
        return request
    release = releases[lighter.release or request.release]
    multiple = release.sizes.multiple_of
    if request.width % multiple or request.height % multiple:
        return None
    if not release.draws(request.frames):
        return None
    return replace(
        request,
        release=release.name,
        release_identity=release.identity,
        sampling=release.sampling(lighter.tier),
        segments=release.segments_text(request.frames),
    )


def _options(
    asked: RequestOptions, *, tiles: VaeTiling | None, without_cache: bool, eager: bool
) -> RequestOptions:
    changes: dict[str, object] = {}
    if tiles and asked.vae_tiling is None:
        changes["vae_tiling"] = tiles
    if without_cache:
        changes["cache"] = None
    if eager:
        changes["compiled"] = None
    return asked.model_copy(update=changes)


def _tiles(rungs: Sequence[Rung], request: RenderRequest) -> VaeTiling | None:
    """A clip that is no larger than a tile is decoded in one go anyway."""
    tiles = next((rung.vae_tiling for rung in reversed(rungs) if rung.vae_tiling), None)
    if tiles and request.width <= tiles.tile_width and request.height <= tiles.tile_height:
        return None
    return tiles


def _offload(rungs: Sequence[Rung], release: "Release", sampling: Sampling) -> IdleModels | None:
    """What the rungs want, unless it rests so already or cannot be moved."""
    wanted: IdleModels | None = next(
        (rung.offload for rung in reversed(rungs) if rung.offload), None
    )
    loading = release.loading(sampling.engine)
    options: EngineOptions = loading.options
    if wanted is None or loading.offload in (wanted, "group") or options.context_parallel:
        return None
    if wanted == "group" and options.quantisation:
        return None
    return wanted
