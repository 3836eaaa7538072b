import signal

from tests.rendering.stage import SteppedClock
from tests.support.project import Project
from wan_pipelines.rendering.progress import Progress
from wan_pipelines.studio.deadlines import shot_limits
from wan_pipelines.studio.estimates import Estimator
from wan_pipelines.studio.supervised.ages import StepAge


def test_a_shot_may_take_a_multiple_of_its_estimate(quick_project: Project) -> None:
    studio = quick_project.studio()
    shot = studio.shots("balls")[0]
    assert shot_limits(studio)(shot) == studio.settings.deadlines.at_least_seconds == 900
    quick_project.environment(deadlines={"times_estimate": 7, "at_least_seconds": 1e-9})
    studio = quick_project.studio()
    assert shot_limits(studio)(shot) == 7 * Estimator(studio).seconds(shot) > 0


def test_on_a_server_a_shot_may_wait_as_well(quick_project: Project) -> None:
    identity = quick_project.studio().release("sample").identity
    served = {"server": "farm", "kind": "wan", "model": "sample", "version": identity}
    quick_project.release("elsewhere", source=served)
    quick_project.campaign(release="elsewhere")
    farm = {"address": "http://127.0.0.1:9", "render_seconds": 5000}
    quick_project.environment(servers={"farm": farm})
    studio = quick_project.studio()
    assert shot_limits(studio)(studio.shots("balls")[0]) == 5900


def test_a_worker_that_hangs_is_told_once_and_killed_when_it_does_not_hear() -> None:
    time = SteppedClock()
    age = StepAge(grace_seconds=5, now=lambda: time.ns / 1e9)
    age.heard(Progress("a", "take", 1, 4, 0, 1, limit_seconds=60))
    sent: list[signal.Signals | None] = []
    for seconds in (59, 2, 1, 3, 2):
        time.advance(seconds)
        sent.append(age.signal())
    assert sent == [None, signal.SIGTERM, None, None, signal.SIGKILL]
    assert age.hung


def test_steps_that_come_and_pauses_between_renders_are_no_reason() -> None:
    time = SteppedClock()
    age = StepAge(grace_seconds=5, now=lambda: time.ns / 1e9)
    for step in range(4):
        age.heard(Progress("a", "take", step, 4, 0, 1, limit_seconds=60))
        time.advance(50)
        assert age.signal() is None
    age.heard(None)
    time.advance(500)
    assert age.signal() is None
    age.heard(Progress("b", "take", 0, 4, 0, 1))
    time.advance(500)
    assert age.signal() is None
    assert not age.hung
