from prometheus_client import CollectorRegistry, generate_latest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.ledger.money import usd
from wan_pipelines.studio.cost_meters import CostTargetCollector
from wan_pipelines.studio.cost_targets import judge
from wan_pipelines.studio.editions import edition_key

TARGETS = {"targets": [{"release": "sample", "usd_per_video": "1000"}]}


def test_prometheus_is_told_what_videos_cost_and_how_many_met_their_target(
    quick_project: Project,
):
    quick_project.environment(costs=TARGETS)
    studio = quick_project.studio()
    registry = CollectorRegistry()
    render_edition(studio)
    collector = CostTargetCollector(studio.ledger, studio.settings.costs)
    registry.register(collector)
    collector.look()
    told = dict(
        line.rsplit(" ", 1)
        for line in generate_latest(registry).decode().splitlines()
        if not line.startswith("#")
    )
    assert told['wan_cost_target_usd{target="sample"}'] == "1000.0"
    assert told['wan_costed_videos{target="sample"}'] == "2.0"
    assert told['wan_videos_within_cost_target_ratio{target="sample"}'] == "1.0"
    (verdict,) = judge(studio, edition_key(studio, "balls", "one"))
    each = float(told['wan_cost_per_video_usd{target="sample"}'])
    assert each == float(usd(verdict.each_micro_usd or 0)) > 0
