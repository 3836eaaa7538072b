"""Assets are of one tenant: that of their campaign's brief, or whom a prompt names."""

import pytest

from tests.components.launching import Launches, launches, metadata_of
from tests.support.project import Project
from wan_pipelines.definitions import load
from wan_pipelines.ledger.reports import run_costs, videos
from wan_pipelines.ledger.whose import House

OF_CAMPAIGNS = {"shots", "takes", "videos", "costs"}
OF_THE_HOUSE = {"weights", "engine", "costs", "ledger"}
"""Weights and engines are no tenant's; daily costs and idle time are for who runs the house."""
SAME = "a red ball rising"


@pytest.fixture
def launch(quick_project: Project, monkeypatch: pytest.MonkeyPatch) -> Launches:
    quick_project.campaign("ours", tenant="demo", prompts=[SAME])
    quick_project.campaign("theirs", tenant="small", prompts=[SAME])
    return launches(quick_project, monkeypatch)


def test_every_asset_is_accounted_for(launch: Launches) -> None:
    assert launch.project
    for key in load().resolve_all_asset_keys():
        first, *rest = key.path
        if first in ("ours", "theirs", "balls"):
            assert set(rest) < OF_CAMPAIGNS, key
        else:
            assert first in OF_THE_HOUSE or key.path == ["prompt", "video"], key


def test_a_campaign_and_a_prompt_reuse_nothing_of_another_tenants(launch: Launches) -> None:
    """The same shot, of two campaigns and a prompt: two tenants render it once each, and pay."""
    ledger = launch.project.studio().ledger
    assert launch.campaign(campaign="ours").success
    (ours,) = videos(ledger, "demo")
    before = run_costs(ledger, "demo")
    theirs = launch.campaign(campaign="theirs")
    assert theirs.success
    assert metadata_of(theirs, "theirs", "shots")["admitted"] == 1
    assert launch.prompt(prompt=SAME, tenant="small", user="zoe").success
    found = videos(ledger, "small")
    assert {video.take_id for video in found}.isdisjoint({ours.take_id})
    assert len({video.take_id for video in found}) == 1, "their own is reused"
    assert run_costs(ledger, "demo") == before
    assert {run.tenant for run in run_costs(ledger, House("audit"))} == {"demo", "small"}
    told = repr([event.event_specific_data for event in theirs.all_events])
    assert ours.take_id not in told
    assert "tenants/demo" not in told
