"""What is drawn on each rung, for whom, and where to go from there."""

from dataclasses import replace
from typing import Any

from tests.support.releases import hub_release, request_for
from wan_pipelines.engines.ladder.footings import (
    Footing,
    footings,
    lowered,
    next_lower,
    one_higher,
)
from wan_pipelines.engines.options.tier_options import RequestOptions
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest

SMALL_TILES = dict.fromkeys(("tile_height", "tile_width", "stride_height", "stride_width"), 32)
LADDER: list[dict[str, Any]] = [
    {"name": "tiles", "vae_tiling": SMALL_TILES},
    {"name": "offload", "offload": "group"},
    {"name": "uncached", "without_cache": True},
    {"name": "few-steps", "tier": "draft"},
    {"name": "small", "release": "small", "tier": "draft"},
]
TIERS: dict[str, Any] = {
    "draft": {"steps": 4, "guidance": 1.0},
    "standard": {
        "steps": 6,
        "guidance": 2.0,
        "cache": {"kind": "sea"},
        "compiled": None,
    },
    "quantised": {"steps": 6, "guidance": 2.0, "quantisation": "int8_weight_only"},
    "compiled": {"steps": 6, "guidance": 2.0, "compiled": "always"},
}
RELEASE = hub_release(ladder=LADDER, tiers=TIERS)
SMALL = hub_release(
    name="small",
    sizes={"multiple_of": 32, "offered": [{"name": "square", "width": 64, "height": 64}]},
)
RELEASES = {"sample": RELEASE, "small": SMALL}


def asked(tier: str = "standard", **changes: Any) -> RenderRequest:
    return request_for(RELEASE, "a ball", sampling=RELEASE.sampling(tier), **changes)


def names(found: tuple[Footing, ...]) -> list[str]:
    return [footing.name for footing in found]


def on_gpu(request: RenderRequest, **how: Any) -> tuple[Footing, ...]:
    return footings(request, RELEASES, on_gpu=True, **how)


def test_each_rung_adds_to_those_above_it() -> None:
    request = asked()
    top, tiles, offload, uncached, few, small = on_gpu(request)
    assert top == Footing(request)
    tiled = RequestOptions.parse(tiles.request.sampling.options)
    assert tiled.vae_tiling
    assert tiled.vae_tiling.tile_width == 32
    assert tiled.cache, "what the tier asks for stays"
    assert offload == replace(tiles, rungs=("tiles", "offload"), offload="group")
    options = RequestOptions.parse(uncached.request.sampling.options)
    assert (options.cache, options.vae_tiling) == (None, tiled.vae_tiling)
    assert (few.request.sampling.steps, few.offload, few.tier) == (4, "group", "draft")
    assert RequestOptions.parse(few.request.sampling.options).vae_tiling
    assert (small.request.release, small.request.release_identity) == ("small", SMALL.identity)
    assert small.rungs == ("tiles", "offload", "uncached", "few-steps", "small")
    assert {(each.request.prompt, each.request.seed) for each in on_gpu(request)} == {("a ball", 7)}


def test_pixels_change_where_the_key_does() -> None:
    top, tiles, offload, *_ = on_gpu(asked())
    assert tiles.request.key != top.request.key
    assert offload.request.key == tiles.request.key


def test_rungs_that_change_nothing_are_left_out() -> None:
    assert names(on_gpu(asked("draft"))) == ["", "tiles", "offload", "small"]
    assert "offload" not in names(footings(asked(), RELEASES, on_gpu=False))
    assert "offload" not in names(on_gpu(asked("quantised"))), "it cannot be moved"
    assert "tiles" not in names(on_gpu(asked(width=32, height=32))), "it is one tile"
    tiers = {name: {**TIERS[name], "offload": "group"} for name in ("draft", "standard")}
    placed = hub_release(ladder=LADDER, tiers=tiers, vae_tiling=True)
    found = footings(asked(), {**RELEASES, "sample": placed}, on_gpu=True)
    assert names(found) == ["", "uncached", "few-steps", "small"]


def test_a_lighter_release_must_draw_the_shape() -> None:
    assert names(on_gpu(asked(width=48)))[-1] == "few-steps"


def test_an_exact_shot_only_moves_what_rests() -> None:
    request = asked()
    found = on_gpu(request, exact=True)
    assert names(found) == ["", "offload"]
    assert {footing.request for footing in found} == {request}


def test_a_time_out_goes_on_with_less_work() -> None:
    ladder = on_gpu(asked())
    top, tiles, *_, few, small = ladder
    assert next_lower(ladder, top, "memory") == tiles
    assert next_lower(ladder, top, "time") == few
    assert next_lower(ladder, few, "time") == next_lower(ladder, few, "device") == small
    assert next_lower(ladder, small, "memory") is None


def test_probing_goes_up_by_one() -> None:
    ladder = on_gpu(asked())
    assert one_higher(ladder, "offload").name == "tiles"
    assert one_higher(ladder, "").name == one_higher(ladder, "gone since").name == ""


def test_a_release_is_loaded_otherwise_and_stays_the_same() -> None:
    top, _, offload, *_ = on_gpu(asked("compiled"))
    assert lowered(RELEASE, top) is RELEASE
    moved = lowered(RELEASE, offload)
    assert moved.loading(offload.request.sampling.engine).offload == "group"
    assert moved.identity == RELEASE.identity
    assert moved.tiers["compiled"].compiled is None
    assert RequestOptions.parse(offload.request.sampling.options).compiled is None
    assert isinstance(moved, Release)
