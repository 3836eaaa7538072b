"""Ladders are checked where they are declared, before anything is rendered."""

from pathlib import Path
from typing import Any

import pytest
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from tests.support.releases import hub_release
from wan_pipelines.engines.ladder.rungs import check_lighter
from wan_pipelines.engines.options.probing import check_options
from wan_pipelines.engines.releases import read_releases
from wan_pipelines.errors import EngineError, InputError

ASSETS = Path(__file__).parents[3] / "assets"
TILES = {"name": "tiles", "vae_tiling": {}}


@pytest.mark.parametrize(
    ("ladder", "words"),
    [
        ([{"name": "nothing"}], "a rung changes something"),
        ([{"name": "small", "release": "smaller"}], "name the tier of the lighter release"),
        ([TILES, TILES], "two rungs tiles"),
        ([{"name": "small", "tier": "tiny"}], "'tiny' is none of tiers: draft, standard"),
        ([{"name": "small", "tier": "draft"}, TILES], "comes before what is lighter"),
        ([{"name": "self", "release": "sample", "tier": "draft"}], "its own lighter one"),
        ([{"name": "Tiles!", "vae_tiling": {}}], "String should match pattern"),
        ([{"name": "move", "offload": "disk"}], "'model' or 'group'"),
    ],
)
def test_a_ladder_that_makes_no_sense_is_refused(ladder: list[Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        hub_release(ladder=ladder)


def test_memory_of_a_server_is_its_own() -> None:
    server = {"server": "farm", "kind": "wan", "model": "m", "version": "1"}
    tiers = {"draft": {"steps": 4, "guidance": 1.0}, "standard": {"steps": 6, "guidance": 2.0}}
    with pytest.raises(ValueError, match="memory is the server's"):
        hub_release(source=server, tiers=tiers, ladder=[TILES])
    assert hub_release(source=server, tiers=tiers, ladder=[{"name": "few", "tier": "draft"}]).ladder


@pytest.mark.parametrize(
    ("rung", "words"),
    [
        ({"release": "smal", "tier": "draft"}, r"no release 'smal'.*small"),
        ({"release": "small", "tier": "drafts"}, r"small offers no tier 'drafts'.*draft"),
    ],
)
def test_a_lighter_release_that_there_is_not_is_refused(rung: dict[str, Any], words: str) -> None:
    release = hub_release(ladder=[{"name": "lighter", **rung}])
    known = {"sample": release, "small": hub_release(name="small")}
    with pytest.raises(InputError, match=words):
        check_lighter(release, known)


def test_the_ladders_that_ship_are_in_the_order_of_least_harm() -> None:
    ladders = {name: release.ladder for name, release in read_releases(ASSETS).items()}
    assert [rung.name for rung in ladders["wan-tiny"]] == ["tiles", "offload", "draft"]
    assert [rung.name for rung in ladders["wan2.2-t2v-a14b"]] == ["tiles", "offload", "uncached"]


def test_diffusers_is_asked_whether_it_knows_the_rungs(monkeypatch: pytest.MonkeyPatch) -> None:
    release = hub_release(ladder=[TILES, {"name": "offload", "offload": "group"}])
    check_options(release, "cpu")
    with monkeypatch.context() as patch:
        patch.delattr(DiffusionPipeline, "enable_group_offload")
        with pytest.raises(EngineError, match="rung offload of the ladder does not work here"):
            check_options(release, "cpu")
    monkeypatch.setattr(AutoencoderKLWan, "enable_tiling", lambda self, tile_size: None)
    with pytest.raises(EngineError, match="rung tiles of the ladder"):
        check_options(release, "cpu")
