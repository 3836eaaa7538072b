"""One tenant never sees, pays for or starves another."""

from datetime import UTC, datetime

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.ledger.reports import output_files, run_costs, videos
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.planning import admit, preview
from wan_pipelines.studio.quotas import quotas
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.tracing import find

SAME = ["a red ball rising"]


@pytest.fixture
def studio(quick_project: Project) -> Studio:
    """Two tenants who had the same shot rendered."""
    quick_project.campaign("ours", tenant="demo", prompts=SAME)
    quick_project.campaign("theirs", tenant="small", prompts=SAME)
    studio = quick_project.studio()
    render_edition(studio, campaign="ours")
    render_edition(studio, campaign="theirs")
    return studio


def test_the_same_shot_is_rendered_and_paid_by_each(studio: Studio):
    (ours,) = videos(studio.ledger, "demo")
    (theirs,) = videos(studio.ledger, "small")
    assert ours.render_key == theirs.render_key
    assert ours.take_id != theirs.take_id
    assert (ours.reused, theirs.reused) == (False, False)
    for tenant, video in (("demo", ours), ("small", theirs)):
        (run,) = run_costs(studio.ledger, tenant)
        assert run.charged_micro_usd == video.cost_micro_usd > 0


def test_files_lie_apart(studio: Studio):
    for tenant, other in (("demo", "small"), ("small", "demo")):
        keys = [file.key for file in output_files(studio.ledger, tenant)]
        assert keys
        assert all(key.startswith(f"tenants/{tenant}/") for key in keys)
        pages = [info.key for info in studio.store.list(f"tenants/{tenant}/campaigns")]
        texts = [studio.store.read_bytes(key) for key in pages if key.endswith("html")]
        assert not any(f"tenants/{other}".encode() in text for text in texts)


def test_a_plan_does_not_tell_what_another_tenant_has_rendered(quick_project: Project):
    quick_project.campaign("ours", tenant="demo", prompts=SAME)
    quick_project.campaign("theirs", tenant="small", prompts=SAME)
    studio = quick_project.studio()
    render_edition(studio, campaign="ours")
    (planned,) = preview(studio, "theirs", "one").shots
    assert (planned.state, planned.reason, planned.renders) == ("admitted", "", True)


def test_the_quota_of_one_is_not_used_by_another(quick_project: Project):
    quick_project.campaign("ours", tenant="demo", seeds=list(range(20)))
    studio = quick_project.studio()
    admit(studio, "ours", "one")
    (left,) = quotas(studio, "small", "mira", datetime.now(UTC))
    assert (left.used, left.left) == (0, 5)


def test_lineage_is_told_of_the_tenant_that_is_named_only(studio: Studio):
    (ours,) = videos(studio.ledger, "demo")
    (theirs,) = videos(studio.ledger, "small")
    assert find(studio, ours.take_id, House("operator")).tenant == "demo"
    traced = find(studio, ours.render_key, "small")
    assert [take.take_id for take in traced.takes] == [theirs.take_id]
