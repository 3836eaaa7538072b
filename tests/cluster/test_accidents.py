"""Pods that end before their time, and what the run makes of it."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cluster.scene import Scene
from tests.support.kubelet import RunningPod

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("cluster")]

STEPS = 12
STEP_SECONDS = 0.4
PROMPTS = ["a red ball rising", "a blue box falling", "a green cone turning"]


@pytest.fixture
def rendering(scene: Scene) -> Scene:
    """A campaign of three shots, admitted, whose renders take some seconds each."""
    tiers = {"draft": {"steps": STEPS, "guidance": 1.0}}
    scene.project.release(tiers=tiers)
    scene.project.campaign(prompts=PROMPTS, renditions=["h264-half"])
    scene.admit()
    scene.pace(STEP_SECONDS)
    return scene


def test_whatever_happens_to_pods_each_shot_is_rendered_and_charged_once(rendering: Scene):
    scene = rendering
    run = scene.launch(assets=["takes"])
    first, second = scene.until(lambda: two(scene.at_work(run)), run)
    time.sleep(3 * STEP_SECONDS)  # so that who began last has steps to keep, and more to go
    scene.kubelet.kill(first)
    scene.kubelet.evict(second)
    scene.until(lambda: not first.is_running and not second.is_running, run)

    _, third = scene.until(lambda: two(scene.at_work(run)), run)
    scene.kubelet.kill(scene.run_pods(run)[0])
    scene.kubelet.lose_node(third.node)
    scene.until(lambda: not scene.run_pods(run)[0].is_running, run)
    scene.until(lambda: scene.resume_lost_runs() or len(scene.run_pods(run)) == 2, run)
    scene.kubelet.add_node(third.node, 1, {"gpu": "h100"})

    scene.until_success(run, monitored=True)
    scene.check()
    went_on = [said for said in scene.messages(run) if "went on after step" in said]
    assert went_on, scene.messages(run)


def test_runs_outlive_an_absence_of_the_api_server(rendering: Scene):
    """One renders, another one is just launched, and the monitor looks at both."""
    scene = rendering
    run = scene.launch(assets=["takes"])
    scene.until(lambda: two(scene.at_work(run)), run)
    late = scene.launch(edition="late", assets=["shots"], launched=False)
    scene.plane.stop("kube-apiserver")
    with ThreadPoolExecutor(1) as daemon:
        launching = daemon.submit(scene.begin, late)
        scene.resume_lost_runs()
        scene.plane.start_api_server()
        launching.result()
    scene.until_success(run)
    scene.until_success(late)
    assert (len(scene.run_pods(run)), len(scene.run_pods(late))) == (1, 1)
    scene.check()


def two(pods: list[RunningPod]) -> list[RunningPod] | None:
    return pods if len(pods) == 2 else None
