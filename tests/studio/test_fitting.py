"""Shots that cannot fit are rejected when they are planned, with what would fit."""

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.engines.estimating.memory import HEADROOM
from wan_pipelines.studio.doctor import examine
from wan_pipelines.studio.estimates import Estimator
from wan_pipelines.studio.planning import admit, preview
from wan_pipelines.units import GIB

SMALL = {"device": "cpu", "price_usd_per_hour": "0.10"}
H100 = {"price_usd_per_hour": "2.69", "hardware": "h100"}


def tighten(project: Project, **more: object) -> None:
    """Leave memory for half the way from the square shape to the wide one."""
    project.campaign(shapes=["square", "landscape"], frames=17)
    studio = project.studio()
    peaks = {Estimator(studio).of(shot).peak_bytes for shot in studio.shots("balls")}
    assert len(peaks) == 2
    memory_gib = sum(peaks) / 2 / HEADROOM / GIB
    project.environment(gpu_classes={"laptop-cpu": {**SMALL, "memory_gib": memory_gib}, **more})


def test_a_shot_that_cannot_fit_is_rejected_with_what_would(quick_project: Project):
    tighten(quick_project, farm=H100)
    plan = preview(quick_project.studio(), "balls", "one")
    assert plan.counts == {"admitted": 2, "rejected": 2}
    told = {planned.reason for planned in plan.shots if planned.state == "rejected"}
    (reason,) = told
    assert reason.startswith("64x32 with 17 frames needs about ")
    assert reason.endswith("What fits: shape square or frames 9 or GPU class farm.")
    for planned in plan.shots:
        assert planned.renders == (planned.shot.request.width == 32)
        assert (planned.estimate is None) == (planned.state == "rejected")


def test_an_admission_takes_no_quota_for_it(quick_project: Project):
    tighten(quick_project)
    studio = quick_project.studio()
    assert admit(studio, "balls", "one") == preview(studio, "balls", "one")
    assert render_edition(studio).counts == {"admitted": 2, "rejected": 2}


def test_what_was_rendered_before_is_kept(quick_project: Project):
    quick_project.campaign(shapes=["square", "landscape"], frames=17)
    render_edition(quick_project.studio())
    tighten(quick_project)
    assert preview(quick_project.studio(), "balls", "one").counts == {"admitted": 4}
    assert preview(quick_project.studio(), "balls", "two").counts == {"reused": 4}


def test_a_release_that_needs_a_gpu_is_rejected_where_there_is_none(quick_project: Project):
    quick_project.release(needs={"cuda": ">=12.1", "gpu_memory_gib": 60})
    plan = preview(quick_project.studio(), "balls", "one")
    assert {planned.state for planned in plan.shots} == {"rejected"}
    assert plan.shots[0].reason == (
        "sample needs a GPU; laptop-cpu has none. What fits: GPU class h100."
    )


@pytest.mark.parametrize(("hardware", "state"), [("rtx4090", "rejected"), ("h100", "admitted")])
def test_the_memory_a_release_asks_for_is_compared_with_the_data_sheet(
    quick_project: Project, hardware: str, state: str
):
    quick_project.release(needs={"gpu_memory_gib": 79})
    classes = {"gpu": {"price_usd_per_hour": "1", "hardware": hardware}}
    quick_project.environment(gpu_class="gpu", gpu_classes=classes)
    plan = preview(quick_project.studio(), "balls", "one")
    assert {planned.state for planned in plan.shots} == {state}


def test_wan_doctor_says_what_fits_and_what_would(quick_project: Project):
    quick_project.release("large", needs={"gpu_memory_gib": 79})
    found = {each.check: each for each in examine(quick_project.root, quick_project.state, "local")}
    fit, misfit = found["fit of sample"], found["fit of large"]
    assert (fit.state, misfit.state) == ("ok", "notice")
    assert fit.message.startswith("32x32 with 5 frames, tier draft: about ")
    assert misfit.message.endswith("What fits: GPU class h100.")


SPREAD = {"steps": 2, "guidance": 1.0, "context_parallel": {"ulysses_degree": 2}}


def test_a_clip_whose_tokens_do_not_divide_among_gpus_is_rejected_with_what_would(
    quick_project: Project,
):
    tiers = {"alone": {"steps": 2, "guidance": 1.0}, "spread": SPREAD}
    square = {"name": "square", "width": 48, "height": 48}
    sizes = {"multiple_of": 16, "offered": [{**square}, {**square, "name": "wide", "width": 64}]}
    quick_project.release(tiers=tiers, default_tier="spread", sizes=sizes)
    quick_project.campaign(shapes=["square", "wide"], frames=9)
    plan = preview(quick_project.studio(), "balls", "one")
    assert plan.counts == {"admitted": 2, "rejected": 2}
    (reason,) = {planned.reason for planned in plan.shots if planned.state == "rejected"}
    assert reason == (
        "27 tokens do not divide among 2 GPUs; `ulysses_anything` lets them. "
        "What fits: frames 5 or tier alone."
    )


def test_a_worker_must_hold_the_gpus_that_a_tier_wants(quick_project: Project):
    quick_project.release(tiers={"spread": SPREAD}, default_tier="spread")
    pair = {**H100, "gpu_count": 2}
    quick_project.environment(gpu_class="one", gpu_classes={"one": H100, "two": pair})
    reason = preview(quick_project.studio(), "balls", "one").shots[0].reason
    assert reason.startswith("The tier spreads a shot over 2 GPUs; a worker of one holds 1.")
    assert "GPU class two" in reason
