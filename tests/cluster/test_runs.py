"""A campaign from its brief to its costs, in pods of a real control plane."""

import pytest

from tests.cluster.scene import Scene

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("cluster")]


def test_a_campaign_runs_in_pods_from_its_brief_to_its_costs(scene: Scene):
    run = scene.launch()
    scene.until_success(run)
