"""Which engines are measured, and as what they are run."""

from typing import Any

from tests.support.releases import ARCHITECTURE, REVISION, hub_release
from wan_pipelines.engines.estimating.architecture import Architecture
from wan_pipelines.studio.benching.candidates import ENGINES, candidates, run_as, served_as
from wan_pipelines.studio.benching.scenarios import scenarios

LORA = {
    "expert": "high",
    "repository": "somebody/lora",
    "revision": REVISION,
    "file": "high.safetensors",
    "size_bytes": 10,
}
TIERS: dict[str, Any] = {
    "standard": {"steps": 6, "guidance": 2.0},
    "cached": {"steps": 6, "guidance": 2.0, "cache": {"kind": "sea", "threshold": 0.2}},
    "distilled": {"steps": 4, "guidance": 1.0, "loras": [LORA]},
}
SEGMENTS = {"frames": 81, "overlap": 9, "max": 161}
RELEASE = hub_release(tiers=TIERS, segments=SEGMENTS)


def named(**only: Any) -> list[tuple[str, str]]:
    found = candidates(RELEASE, **{"engines": ENGINES, "tiers": (), **only})
    return [(each.engine, each.tier) for each in found]


def test_every_tier_is_measured_eagerly_and_the_default_one_otherwise() -> None:
    assert named() == [
        ("eager", "standard"),
        ("eager", "cached"),
        ("eager", "distilled"),
        ("compiled", "standard"),
        ("remote", "standard"),
    ]
    assert named(engines=["remote"], tiers=["cached"]) == [("remote", "cached")]


def test_what_cannot_be_is_told_before_anything_is_loaded() -> None:
    reasons = {
        (each.engine, each.tier): each.unfit
        for each in candidates(RELEASE, engines=ENGINES, tiers=TIERS)
    }
    assert "compiled blocks cannot have loras" in reasons["compiled", "distilled"]
    assert "looks into blocks that are compiled" in reasons["compiled", "cached"]
    assert "a server chooses" in reasons["remote", "cached"]
    assert {name for name, reason in reasons.items() if not reason} == {
        ("eager", "standard"),
        ("eager", "cached"),
        ("eager", "distilled"),
        ("compiled", "standard"),
        ("remote", "standard"),
    }


def test_a_candidate_changes_its_tier_and_nothing_that_weights_decide() -> None:
    compiled = next(candidates(RELEASE, engines=["compiled"], tiers=()))
    assert run_as(RELEASE, compiled).tiers["standard"].compiled == "if_built"
    assert run_as(RELEASE, compiled, build=True).tiers["standard"].compiled == "always"
    assert run_as(RELEASE, compiled).identity == RELEASE.identity


def test_a_server_draws_long_videos_by_itself() -> None:
    served = served_as(RELEASE, "standard", Architecture.model_validate(ARCHITECTURE))
    long = scenarios(RELEASE, 4)[-1]
    assert long.frames == 153
    asked = next(long.requests(served, "standard"))
    assert (asked.frames, asked.segments) == (153, "")
    assert next(long.requests(RELEASE, "standard")).segments == RELEASE.segmentation


def test_scenarios_differ_in_what_is_asked() -> None:
    short, template, long = scenarios(RELEASE, 8)
    prompts = {
        each.name: {request.prompt for request in each.requests(RELEASE, "standard")}
        for each in (short, template)
    }
    assert (len(prompts["short"]), len(prompts["template"])) == (4, 1)
    assert len({request.key for request in template.requests(RELEASE, "standard")}) == 9
    assert (short.videos, template.videos, long.videos) == (8, 8, 2)
    alone = scenarios(hub_release(), 1)[-1]
    assert (alone.frames, alone.videos) == (81, 1)
