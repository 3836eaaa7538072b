"""A campaign from its brief to its costs, asset by asset."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import dagster as dg
import pytest

from tests.components.launching import (
    Launches,
    checks_of,
    failure_of,
    keys_of,
    launches,
    metadata_of,
)
from tests.support.project import ENVIRONMENT, Project
from tests.support.quick_project import quick_copy
from wan_pipelines.definitions import load
from wan_pipelines.errors import RenderError
from wan_pipelines.ledger.lineage import trace
from wan_pipelines.ledger.reports import edition_shots_view, run_costs, videos
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.videos import publish

RED, BLUE = "a red ball rising", "a blue box falling"
RED_SHOT, BLUE_SHOT = "a-red-ball-rising--square--s1", "a-blue-box-falling--square--s1"
CHECKS = {"digests", "all_shots_accounted_for", "videos_probe_well", "charges_add_up"}
CHECKS |= {"cost_targets_met"}


@pytest.fixture
def launch(project: Project, monkeypatch: pytest.MonkeyPatch) -> Launches:
    return launches(project, monkeypatch)


@pytest.fixture(scope="module")
def first(
    tmp_path_factory: pytest.TempPathFactory, no_weights: Path, migrated_ledger: Path
) -> Iterator[dg.ExecuteInProcessResult]:
    """The first run of an edition."""
    made = quick_copy(tmp_path_factory.mktemp("first"), no_weights, migrated_ledger)
    with pytest.MonkeyPatch.context() as patch:
        made.enter(patch)
        yield launches(made, patch).campaign()


def test_a_run_makes_every_asset_and_passes_every_check(first: dg.ExecuteInProcessResult) -> None:
    assert first.success
    made = {"/".join(key.path) for key in keys_of(first)}
    assert made == {
        "weights/sample",
        "engine/sample",
        "balls/shots",
        "balls/takes",
        "balls/videos",
        "balls/costs",
    }
    assert checks_of(first).keys() == CHECKS
    assert all(check.passed for check in checks_of(first).values())


def test_the_shots_say_what_was_decided_and_what_is_expected(
    first: dg.ExecuteInProcessResult,
) -> None:
    shots = metadata_of(first, "balls", "shots")
    assert shots["shots"] == shots["admitted"] == 2
    assert shots["estimated_gpu_seconds"] > 0
    assert shots["over_budget"] is False
    rows = [record.data for record in shots["shot_list"].records]
    assert [row["prompt"] for row in rows] == [RED, BLUE]


def test_the_videos_show_posters_files_and_figures(first: dg.ExecuteInProcessResult) -> None:
    shown = metadata_of(first, "balls", "videos")
    base = "http://127.0.0.1:3070/tenants/demo/campaigns/balls/one"
    assert shown["posters"] == f"![Posters]({base}/posters.webp)"
    assert shown["page"] == f"{base}/index.html"
    assert shown["accepted"] == 2
    assert shown["failed"] == 0
    assert shown["degraded"] == 0
    assert shown["gpu_seconds"] > 0
    assert shown["cost_usd"] > 0
    rows = [record.data for record in shown["videos"].records]
    assert {row["shot"] for row in rows} == {RED_SHOT, BLUE_SHOT}
    assert {row["outcome"] for row in rows} == {"rendered"}
    assert all(row["cost_usd"] > 0 for row in rows)
    assert f"[{RED_SHOT}](http://127.0.0.1:3070/tenants/demo/videos/" in shown["files"]


def test_the_takes_and_costs_have_their_figures(first: dg.ExecuteInProcessResult) -> None:
    takes = metadata_of(first, "balls", "takes")
    assert takes["shards"] == 2
    assert takes["render_seconds"] > 0
    costs = metadata_of(first, "balls", "costs")
    assert costs["cost_per_video_usd"] > 0
    assert costs["statement"].endswith("/costs.csv")
    videos = metadata_of(first, "balls", "videos")["videos"].records
    of_shots = sum(record.data["cost_usd"] for record in videos)
    others = costs["unattributed_usd"] + costs["superseded_usd"]
    assert costs["cost_usd"] == pytest.approx(of_shots + others)
    assert [record.data["kind"] for record in costs["by_kind"].records]


def test_the_models_say_what_they_are(first: dg.ExecuteInProcessResult) -> None:
    weights = metadata_of(first, "weights", "sample")
    engine = metadata_of(first, "engine", "sample")
    assert weights["files"] == 1
    assert engine["weights_revision"] == weights["revision"]
    assert engine["fingerprint"]["torch"]


def test_the_graph_names_owners_groups_kinds_and_what_is_made_of_what(project: Project) -> None:
    project.campaign(owners=["team:films"], tags={"season": "autumn"})
    graph = load().resolve_asset_graph()
    videos_key = dg.AssetKey(["balls", "videos"])
    node = graph.get(videos_key)
    assert node.owners == ["team:films"]
    assert node.group_name == "balls"
    assert node.kinds == {"ffmpeg", "mp4"}
    assert {"season": "autumn", "tenant": "demo", "release": "sample"}.items() <= node.tags.items()
    assert "page" in (node.description or "")
    assert graph.get_ancestor_asset_keys(dg.AssetKey(["balls", "costs"])) == {
        dg.AssetKey(list(key))
        for key in (
            ("weights", "sample"),
            ("engine", "sample"),
            ("balls", "shots"),
            ("balls", "takes"),
            ("balls", "videos"),
        )
    }


def test_a_second_run_renders_nothing(launch: Launches) -> None:
    launch.campaign()
    again = launch.campaign()
    assert again.success
    takes = metadata_of(again, "balls", "takes")
    assert takes["shards"] == 0
    assert "failed_shots" not in takes
    assert checks_of(again)["all_shots_accounted_for"].passed
    ledger = launch.project.studio().ledger
    assert [cost.run_id for cost in run_costs(ledger, "demo")] != [again.run_id]
    assert len(run_costs(ledger, "demo")) == 1


def test_a_run_that_names_shots_renders_those_only(launch: Launches) -> None:
    result = launch.campaign(only=[BLUE_SHOT])
    assert result.success
    rendered = videos(launch.project.studio().ledger, "demo")
    assert [video.prompt for video in rendered] == [BLUE]
    assert launch.campaign().success
    assert len(videos(launch.project.studio().ledger, "demo")) == 2


def test_a_video_knows_the_step_that_rendered_it(launch: Launches) -> None:
    launch.campaign(only=[BLUE_SHOT])
    ledger = launch.project.studio().ledger
    (video,) = videos(ledger, "demo")
    (take,) = trace(ledger, "demo", video.take_id).takes
    assert take.worker.step_key == "balls__takes.balls__takes__render[shard_1]"


def test_links_to_files_stay_within_what_the_ui_shows_at_once(launch: Launches) -> None:
    launch.project.campaign(seeds=list(range(10)))
    files = metadata_of(launch.campaign(), "balls", "videos")["files"]
    assert 3 <= files.count("](http://") < 20
    assert len(files) <= 1000


def test_a_shot_that_is_named_in_vain_is_told(launch: Launches) -> None:
    result = launch.campaign(only=["a-green-cone"])
    assert not result.success
    assert "there is no shot 'a-green-cone'" in failure_of(result)


def test_a_failing_shot_fails_alone_and_the_check_says_which_and_why(launch: Launches) -> None:
    launch.faults[BLUE] = RenderError("The box would not fall.", stage="denoise_low")
    result = launch.campaign()
    assert result.success
    check = checks_of(result)["all_shots_accounted_for"]
    assert not check.passed
    assert BLUE_SHOT in (check.description or "")
    assert "The box would not fall." in (check.description or "")
    rows = metadata_of(result, "balls", "takes")["failed_shots"].records
    assert [(row.data["shot"], row.data["stage"]) for row in rows] == [(BLUE_SHOT, "denoise_low")]
    assert metadata_of(result, "balls", "videos")["accepted"] == 1

    launch.faults.clear()
    again = launch.campaign()
    assert checks_of(again)["all_shots_accounted_for"].passed
    assert metadata_of(again, "balls", "videos")["accepted"] == 2


def test_a_run_that_asks_for_exact_renders_draws_nothing_with_less(launch: Launches) -> None:
    launch.project.release(ladder=[{"name": "draft", "tier": "draft"}], default_tier="standard")
    tenants = {"demo": {**ENVIRONMENT["tenants"]["demo"], "degradation": "allowed"}}
    launch.project.environment(tenants=tenants)
    launch.faults[BLUE] = MemoryError("There is none left.")
    launch.campaign(only=[BLUE_SHOT], exact=True)
    studio = launch.project.studio()
    (shot,) = edition_shots_view(studio.ledger, edition_key(studio, "balls", "one"))
    assert (shot.error_message or "").startswith("There is none left. An exact render was asked")


def test_refused_shots_are_accounted_for_with_their_reason(launch: Launches) -> None:
    launch.project.campaign(tenant="small", prompts=[RED], seeds=[1, 2, 3, 4, 5, 6, 7])
    result = launch.campaign()
    assert metadata_of(result, "balls", "shots")["refused"] == 2
    assert checks_of(result)["all_shots_accounted_for"].passed
    rows = [record.data for record in metadata_of(result, "balls", "videos")["videos"].records]
    assert sum("5" in row["why"] and row["outcome"] == "refused" for row in rows) == 2


def test_damaged_weights_stop_the_run_before_anything_is_rendered(
    launch: Launches, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged") / "pipe"
    copytree(launch.project.weights, folder)
    launch.project.release(source={"folder": str(folder)})
    (folder / "model_index.json").write_text("[]")
    result = launch.campaign()
    assert not result.success
    assert "model_index.json" in failure_of(result)
    assert not checks_of(result)["digests"].passed
    assert not videos(launch.project.studio().ledger, "demo")


def test_an_edition_with_an_impossible_name_is_refused(launch: Launches) -> None:
    result = launch.campaign(edition="../elsewhere")
    assert not result.success
    assert "cannot be the key of an edition" in failure_of(result)


def test_another_brief_that_is_being_edited_does_not_end_a_run(launch: Launches) -> None:
    """Titles on pages are taken from the briefs as they stand; they can wait."""
    launch.campaign()
    launch.project.campaign("other", seeds=["seven"])
    studio = launch.project.studio()
    published = publish(studio, edition_key(studio, "balls", "one"))
    assert published.totals.accepted == 2
