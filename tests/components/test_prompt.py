"""One prompt, typed into the launchpad."""

from typing import Any

import pytest

from tests.components.launching import Launches, failure_of, launches, metadata_of
from tests.support.project import Project
from wan_pipelines.components.prompt import PromptConfig
from wan_pipelines.ledger.reports import videos
from wan_pipelines.studio import shards
from wan_pipelines.studio.shard_records import ShardReference, ShardSummary, nothing_done
from wan_pipelines.studio.studio import Studio

OBSERVED = "ASSET_OBSERVATION"


@pytest.fixture
def launch(project: Project, monkeypatch: pytest.MonkeyPatch) -> Launches:
    return launches(project, monkeypatch)


def test_a_prompt_is_rendered_and_shown(launch: Launches) -> None:
    result = launch.prompt(prompt="a green cone turning", seed=3)
    assert result.success
    shown = metadata_of(result, "prompt", "video")
    assert shown["accepted"] == 1
    assert shown["posters"].startswith("![Posters](http://127.0.0.1:3070/")
    (video,) = videos(launch.project.studio().ledger, "demo")
    assert (video.prompt, video.seed) == ("a green cone turning", 3)


def test_what_it_takes_is_told_before_it_is_rendered(launch: Launches) -> None:
    result = launch.prompt(prompt="a green cone turning")
    (told,) = [event for event in result.all_events if event.event_type_value == OBSERVED]
    steps = [event.step_key for event in result.all_events if event.is_step_start]
    assert steps == ["prompt__video.prompt__video__estimate", "prompt__video.prompt__video__render"]
    assert told.step_key == steps[0]
    metadata = told.asset_observation_data.asset_observation.metadata
    shown: dict[str, Any] = {name: value.value for name, value in metadata.items()}
    assert shown["estimated_cost_usd"] > 0
    assert shown["estimated_cost_usd_at_most"] > shown["estimated_cost_usd_at_least"]


def test_a_prompt_beyond_the_quota_asks_for_no_gpu(launch: Launches) -> None:
    for seed in range(5):
        assert launch.prompt(seed=seed, tenant="small").success
    result = launch.prompt(seed=6, tenant="small")
    assert "limit of 5 shots a day" in failure_of(result)
    started = [event.step_key for event in result.all_events if event.is_step_start]
    assert started == ["prompt__video.prompt__video__estimate"]


def test_a_prompt_that_a_pod_was_told_to_leave_is_rendered_by_the_next(
    launch: Launches, monkeypatch: pytest.MonkeyPatch
) -> None:
    pods = {"laptop-cpu": {"price_usd_per_hour": "1", "device": "cpu", "kubernetes": {}}}
    cache = str(launch.project.state / "cache")
    launch.project.environment(gpu_classes=pods, kubernetes={}, cache=cache)
    renders, told = shards.render_supervised, []

    def render(studio: Studio, shard: ShardReference, *rest: Any, **named: Any) -> ShardSummary:
        told.append(shard.name)
        return nothing_done(shard) if len(told) == 1 else renders(studio, shard, *rest, **named)

    monkeypatch.setattr(shards, "render_supervised", render)
    assert launch.prompt().success
    assert told == ["prompt", "prompt"]
    assert len(videos(launch.project.studio().ledger, "demo")) == 1


def test_without_a_word_the_defaults_are_rendered(launch: Launches) -> None:
    assert launch.prompt().success
    (video,) = videos(launch.project.studio().ledger, "demo")
    assert "red ball" in video.prompt


def test_a_prompt_that_was_rendered_before_is_reused(launch: Launches) -> None:
    launch.prompt()
    again = launch.prompt()
    assert again.success
    assert len(videos(launch.project.studio().ledger, "demo")) == 1


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"prompt": "a ball " * 80}, "512"),
        ({"prompt": "a ball \U0001f600\U0001f600\U0001f600\U0001f600\U0001f600"}, "emoji"),
        ({"prompt": "a ball", "shape": "round"}, "Known: landscape, square"),
        ({"prompt": "a ball", "frames": 6}, "frames"),
        ({"prompt": "a ball", "release": "sampel"}, "Did you mean 'sample'?"),
        ({"prompt": "a ball", "tenant": "nobody"}, "tenant 'nobody' is not known"),
    ],
)
def test_a_bad_prompt_is_refused_with_the_reason(
    launch: Launches, config: dict[str, object], words: str
) -> None:
    result = launch.prompt(**config)
    assert not result.success
    assert words in failure_of(result)
    assert not videos(launch.project.studio().ledger, "demo")


def test_every_field_of_the_launchpad_is_described_and_has_a_default() -> None:
    fields = PromptConfig.to_config_schema().config_type.fields  # pyright: ignore
    assert fields
    assert all(field.description for field in fields.values())
    assert not [name for name, field in fields.items() if field.is_required]
