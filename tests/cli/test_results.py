import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cli.invoking import Wan, invoker
from tests.support.quick_project import quick_copy
from tests.support.renders import render_edition
from wan_pipelines.errors import RenderError

FAULT = RenderError("No.", stage="text")


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, no_weights: Path, migrated_ledger: Path) -> Wan:
    """`wan` where two tenants have a campaign each, one of which had a shot that failed."""
    project = quick_copy(tmp_path_factory.mktemp("results"), no_weights, migrated_ledger)
    project.campaign("theirs", tenant="small", prompts=["a green cone turning"])
    render_edition(project.studio(), faults={"a red ball rising": FAULT})
    render_edition(project.studio(), campaign="theirs")
    return invoker(project)


def records(said: Result) -> list[dict[str, Any]]:
    assert said.exit_code == 0
    return json.loads(said.stdout)


def test_videos_have_everything_that_scripts_need(there: Wan):
    found = records(there("videos", "--all-tenants", "--json"))
    assert {video["campaign"] for video in found} == {"balls", "theirs"}
    video = next(video for video in found if video["campaign"] == "balls")
    assert video["shot"] == "a-blue-box-falling--square--s1"
    assert (video["edition"], video["tenant"], video["user"]) == ("one", "demo", "mira")
    assert (video["prompt"], video["seed"]) == ("a blue box falling", 1)
    assert (video["release"], video["tier"]) == ("sample", "draft")
    assert (video["width"], video["height"], video["frames"], video["fps"]) == (32, 32, 5, 8)
    assert video["uri"].endswith("/h264.mp4")
    assert len(video["sha256"]) == len(video["render_key"]) == 64
    assert video["cost_usd"] == video["cost_micro_usd"] / 1_000_000 > 0
    assert video["gpu_seconds"] > 0
    assert video["reused"] is False


def test_videos_are_listed_for_people(there: Wan):
    heading, *rows = there("videos", "--all-tenants").stdout.splitlines()
    assert heading.split() == ["Campaign", "Edition", "Shot", "Size", "GPU-s", "USD", "File"]
    assert len(rows) == 2
    assert rows[0].split()[3] == "32x32x5"


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (("--tenant", "small"), 1),
        (("--campaign", "balls"), 1),
        (("--edition", "one"), 1),
        (("--edition", "one", "--all-tenants"), 2),
        (("--campaign", "balls", "--tenant", "small"), 0),
        (("--edition", "two"), 0),
    ],
)
def test_videos_can_be_narrowed_down(there: Wan, arguments: tuple[str], number: int):
    assert len(records(there("videos", *arguments, "--json"))) == number
    said = there("videos", *arguments)
    assert said.exit_code == 0
    assert ("There are no such videos." in said.stderr) is (number == 0)


def test_costs_of_runs_are_paid_and_charged_alike(there: Wan):
    runs = records(there("costs", "--all-tenants", "--json"))
    assert {run["tenant"] for run in runs} == {"demo", "small"}
    for run in runs:
        assert run["run_id"] == "run"
        assert run["paid_micro_usd"] == run["charged_micro_usd"] > 0
        assert run["open_workers"] == 0
        assert sum(run["micro_usd_by_kind"].values()) == run["charged_micro_usd"]
        assert run["paid_usd"] == run["paid_micro_usd"] / 1_000_000
    ours = next(run for run in runs if run["tenant"] == "demo")
    assert (ours["takes"], ours["accepted_takes"]) == (2, 1)
    assert ours["wasted_micro_usd"] > 0


def test_costs_end_with_their_sum(there: Wan):
    paid = sum(run["paid_micro_usd"] for run in records(there("costs", "--json")))
    last = there("costs").stdout.splitlines()[-1]
    assert last == f"Paid ${paid / 1_000_000:.6f}, charged ${paid / 1_000_000:.6f}."


@pytest.mark.parametrize(
    ("by", "values"),
    [
        ("tenant", {"demo", "small"}),
        ("campaign", {"balls", "theirs"}),
        ("edition", {"balls/one", "theirs/one"}),
        ("user", {"mira"}),
        ("release", {"sample"}),
        ("tier", {"draft"}),
        ("gpu_class", {"laptop-cpu"}),
    ],
)
def test_costs_are_summed_by_what_finance_asks_for(there: Wan, by: str, values: set[str]):
    totals = records(there("costs", "--by", by, "--all-tenants", "--json"))
    assert {total[by] for total in totals} == values
    runs = records(there("costs", "--all-tenants", "--json"))
    charged = sum(run["charged_micro_usd"] for run in runs)
    assert sum(total["charged_micro_usd"] for total in totals) == charged
    said = there("costs", "--by", by, "--all-tenants").stdout.splitlines()
    assert said[-1] == f"Charged ${charged / 1_000_000:.6f}."
    assert values == {row.split()[0] for row in said[1 : 1 + len(values)]}


def test_costs_of_a_campaign_are_told_edition_by_edition(there: Wan):
    (total,) = records(there("costs", "--campaign", "balls", "--json"))
    assert (total["edition"], total["takes"], total["accepted_takes"]) == ("balls/one", 2, 1)


def test_a_run_or_tenant_that_is_not_there_has_no_costs(there: Wan):
    assert "There is no such run." in there("costs", "--run", "nope").stderr
    assert "'nobody' is not known" in there("costs", "--tenant", "nobody").stderr
    (run,) = records(there("costs", "--run", "run", "--tenant", "small", "--json"))
    assert run["tenant"] == "small"


def test_where_there_is_nothing_yet_it_is_told_what_to_do(wan: Wan):
    assert "`wan demo` makes some" in wan("videos").stderr
    assert "Nothing has been paid for yet." in wan("costs").stderr
    assert wan("costs", "--by", "tier").stderr == "Nothing has been charged yet.\n"
    for command in ("videos", "costs", "quota"):
        assert records(wan(command, "--json")) == []
