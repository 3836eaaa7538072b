from prometheus_client import CollectorRegistry, generate_latest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.studio.cost_meters import CostTargetCollector

TARGETS = {"targets": [{"release": "sample", "usd_per_video": "1000"}]}


def test_prometheus_is_told_what_videos_cost_and_how_many_met_their_target(
    quick_project: Project,
):
    quick_project.environment(costs=TARGETS)
    studio = quick_project.studio()
    registry = CollectorRegistry()
    render_edition(studio)
    registry.register(CostTargetCollector(studio.ledger, studio.settings.costs))
    told = dict(
        line.rsplit(" ", 1)
        for line in generate_latest(registry).decode().splitlines()
        if not line.startswith("#")
    )
    assert told['wan_cost_target_usd{target="sample"}'] == "1000.0"
    assert told['wan_costed_videos{target="sample"}'] == "2.0"
    assert told['wan_videos_within_cost_target_ratio{target="sample"}'] == "1.0"
    assert 0 < float(told['wan_cost_per_video_usd{target="sample"}']) < 1000
