import json
from typing import Any

import pytest
from click.testing import Result
from rich.console import Console

from tests.cli.invoking import Wan
from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.cli import plans

BALL, BOX = "a-red-ball-rising--square--s1", "a-blue-box-falling--square--s1"


def plan_of(said: Result) -> dict[str, Any]:
    assert said.exit_code == 0
    return json.loads(said.stdout)


def test_campaigns_are_listed_with_what_they_would_make(wan: Wan, quick_project: Project):
    schedule = {"cron": "0 4 * * *", "time_zone": "Europe/Berlin", "start": "2026-11-01"}
    quick_project.campaign("nightly", title="Every night", schedule=schedule, seeds=[1, 2, 3])
    said = wan("campaigns")
    assert said.stdout.splitlines()[0].split()[:2] == ["Campaign", "Title"]
    assert "Every night" in said.stdout
    nightly = next(c for c in json.loads(wan("campaigns", "--json").stdout) if c["schedule"])
    assert nightly == {
        "campaign": "nightly",
        "title": "Every night",
        "tenant": "demo",
        "release": "sample",
        "tier": "draft",
        "shots": 6,
        "schedule": "0 4 * * *",
        "time_zone": "Europe/Berlin",
        "rerender": "on_change",
    }


def test_a_plan_lists_shots_and_ends_with_what_they_come_to(wan: Wan):
    said = wan("plan", "balls", "--edition", "one")
    lines = said.stdout.splitlines()
    assert lines[0].split() == ["Shot", "Would", "be", "GPU-s", "GB", "USD", "Why"]
    assert lines[1].startswith(f"{BALL} ")
    assert lines[-4].startswith("balls/one: 2 shots, about ")
    assert lines[-4].endswith(" GB of memory")
    assert lines[-3].startswith("  rendering takes ")
    assert " GPU-seconds, judging by published figures; 2 workers take " in lines[-3]
    assert lines[-2].startswith("  it ends in about ")
    assert lines[-2].endswith(" s, 2 at a time, once there are GPUs")
    assert lines[-1] == "  2 rendered"


def test_a_plan_as_json_has_stable_names(wan: Wan, quick_project: Project):
    quick_project.campaign(budget_usd="0.5")
    plan = plan_of(wan("plan", "balls", "--edition", "one", "--json"))
    assert plan.keys() == {
        "campaign",
        "edition",
        "tenant",
        "counts",
        "gpu_seconds",
        "gpu_seconds_between",
        "left",
        "percent",
        "peak_memory_gb",
        "estimated_from",
        "workers",
        "start_gpu_seconds",
        "wall_seconds",
        "cost_usd",
        "cost_usd_between",
        "budget_usd",
        "plan",
    }
    assert (plan["counts"], plan["budget_usd"]) == ({"rendered": 2}, 0.5)
    shot = plan["plan"][0]
    assert shot.keys() == {
        "shot",
        "state",
        "outcome",
        "reason",
        "may_run_at",
        "gpu_seconds",
        "gpu_seconds_between",
        "peak_memory_gb",
        "estimated_from",
        "cost_usd",
        "prompt",
        "seed",
        "width",
        "height",
        "frames",
        "segments",
        "tier",
        "render_key",
    }
    assert (shot["shot"], shot["prompt"], shot["frames"]) == (BALL, "a red ball rising", 5)
    total = sum(shot["gpu_seconds"] for shot in plan["plan"])
    assert total == pytest.approx(plan["gpu_seconds"], abs=0.002)
    assert plan["start_gpu_seconds"] > plan["workers"] > 0
    everything = plan["start_gpu_seconds"] + plan["gpu_seconds"]
    assert everything / 2 <= plan["wall_seconds"] + 0.01 <= everything + 0.01
    cheapest, dearest = plan["cost_usd_between"]
    assert sum(shot["cost_usd"] for shot in plan["plan"]) < plan["cost_usd"]
    assert 0 < cheapest <= plan["cost_usd"] <= dearest + 2e-6, "of two shots, rounded apiece"


def test_a_plan_tells_what_is_kept_reused_refused_and_rejected(wan: Wan, quick_project: Project):
    quick_project.campaign(tenant="small", prompts=["a red ball rising"], seeds=[1, 2])
    render_edition(quick_project.studio())
    quick_project.campaign(
        "more", tenant="small", prompts=["a red ball rising", "x" * 600], seeds=[1]
    )
    quick_project.campaign(tenant="small", prompts=["a red ball rising"], seeds=list(range(1, 9)))
    plan = plan_of(wan("plan", "balls", "--edition", "one", "--json"))
    assert plan["counts"] == {"kept": 2, "rendered": 3, "refused": 3}
    refused = next(shot for shot in plan["plan"] if shot["outcome"] == "refused")
    assert "limit of 5 shots a day for user mira" in refused["reason"]
    assert refused["may_run_at"].endswith("00:00:00+00:00")
    said = wan("plan", "more", "--edition", "one").stdout
    assert "  1 reused: already rendered in balls/one" in said
    assert "  1 rejected: The text is longer than 512 characters. Shorten the prompt" in said


@pytest.mark.parametrize("command", [("plan",), ("run", "--dry-run"), ("run",)])
def test_an_edition_that_is_no_window_of_the_schedule_is_refused(
    wan: Wan, quick_project: Project, command: tuple[str, ...]
):
    schedule = {"cron": "0 4 * * *", "time_zone": "Europe/Berlin", "start": "2026-11-01"}
    quick_project.campaign("nightly", schedule=schedule)
    name, *options = command
    said = wan(name, "nightly", "--edition", "2026-11-02-0500", *options)
    assert said.exit_code == 1
    assert "nightly has no edition '2026-11-02-0500'" in said.stderr
    assert "Leave it away for the latest one; keys look like 2026-11-01-0300." in said.stderr
    assert not (quick_project.state / "dagster").exists()


def test_a_window_of_the_schedule_can_be_planned(wan: Wan, quick_project: Project):
    schedule = {"cron": "0 4 * * *", "time_zone": "Europe/Berlin", "start": "2026-11-01"}
    quick_project.campaign("nightly", schedule=schedule)
    plan = plan_of(wan("plan", "nightly", "--edition", "2026-11-02-0400", "--json"))
    assert (plan["edition"], plan["counts"]) == ("2026-11-02-0400", {"rendered": 2})


def test_a_brief_that_is_wrong_hides_no_other_campaign(wan: Wan, quick_project: Project):
    folder = quick_project.root / "assets" / "campaigns" / "autumn"
    folder.mkdir()
    (folder / "defs.yaml").write_text("type: wan_pipelines.components.Campaign\nattributes: 5\n")
    said = wan("campaigns", "--json")
    assert [each["campaign"] for each in json.loads(said.stdout)] == ["balls"]
    assert (said.exit_code, "autumn/defs.yaml" in said.stderr) == (1, True)


def test_a_plan_above_the_budget_says_so(wan: Wan, quick_project: Project):
    quick_project.campaign(budget_usd="0.000001")
    assert "more than the budget of $0.000001" in wan("plan", "balls").stderr


def test_the_end_of_a_long_plan_stays_in_sight(
    wan: Wan, quick_project: Project, monkeypatch: pytest.MonkeyPatch
):
    quick_project.campaign(seeds=list(range(200)))

    def terminal() -> Console:
        return Console(width=80, force_terminal=True, color_system=None, markup=False)

    monkeypatch.setattr(plans, "console", terminal)
    lines = wan("plan", "balls").stdout.splitlines()
    assert len(lines) < 60
    assert "… and 350 more: --all shows them." in lines
    assert lines[-1] == "  400 rendered"
    assert len(wan("plan", "balls", "--all").stdout.splitlines()) > 400


def test_a_dry_run_is_a_plan(wan: Wan, quick_project: Project):
    arguments = ("balls", "--edition", "one", "--only", BOX)
    assert wan("run", *arguments, "--dry-run").stdout == wan("plan", *arguments).stdout
    assert not (quick_project.state / "dagster").exists()


def test_a_prompt_can_be_planned(wan: Wan):
    said = wan("render", "a red ball rising", "--release", "sample", "--dry-run", "--json")
    (shot,) = plan_of(said)["plan"]
    assert (shot["outcome"], shot["prompt"], shot["tier"]) == (
        "rendered",
        "a red ball rising",
        "draft",
    )


def test_an_edition_that_is_complete_is_not_launched_again(wan: Wan, quick_project: Project):
    render_edition(quick_project.studio())
    said = wan("run", "balls", "--edition", "one")
    assert said.exit_code == 0
    assert "Nothing has changed" in said.stderr
    assert "balls/one: 2 videos" in said.stdout
    assert not (quick_project.state / "dagster").exists()
