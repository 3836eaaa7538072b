from datetime import timedelta
from math import inf
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Project
from wan_pipelines.errors import InputError
from wan_pipelines.studio.settings import read_settings

FLEET = {"gpu_class": "laptop-cpu", "gpus": 8, "since": "2026-11-01"}
LAPTOP = {"laptop-cpu": {"device": "cpu", "price_usd_per_hour": "0.10"}}


def problem(project: Project, **changes: Any) -> str:
    """What is said of an environment with these changes."""
    project.environment(**changes)
    with pytest.raises(InputError) as caught:
        read_settings(project.root, "local")
    return str(caught.value)


def test_the_shipped_environment_is_acceptable():
    settings = read_settings(Path(__file__).parents[2], "local")
    assert settings.rendering_class.device == "cpu"
    assert settings.tenant("demo").plan in settings.plans


def test_a_gpu_class_without_a_price_is_named_with_those_there_are(quick_project: Project):
    said = problem(quick_project, gpu_class="h100", gpu_classes=LAPTOP)
    assert "resources/local/defs.yaml" in said
    assert "gpu_class 'h100' is none of gpu_classes: laptop-cpu" in said


def test_a_plan_that_does_not_exist_is_named_with_its_tenant(quick_project: Project):
    said = problem(quick_project, tenants={"demo": {"plan": "gold"}}, plans={"free": {}})
    assert "tenants.demo.plan 'gold' is none of plans: free" in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tenants": {"demo": {"plan": "free", "time_zone": "Berlin"}}}, "Europe/Berlin"),
        ({"gpu_classes": {"laptop-cpu": {"price_usd_per_hour": "-1"}}}, "price_usd_per_hour"),
        ({"gpu_classes": {"laptop-cpu": {"price_usd_per_hour": "0.0000001"}}}, "6 decimal places"),
        ({"gpu_classes": {"laptop-cpu": {"price_usd_per_hour": "1e400"}}}, "price_usd_per_hour"),
        ({"workers": {"count": 0}}, "workers.count"),
        ({"workers": {"lease_seconds": 1e300}}, "workers.lease_seconds"),
        ({"scheduling": {"half_life_hours": inf}}, "finite"),
        ({"plans": {"free": {"per_day": {"gpu_hours": "1e400"}}}}, "1000000000"),
        ({"reserved": {"base": {**FLEET, "usd_per_gpu_hour": "1000000"}}}, "equal to 10000."),
        ({"rerender": {"first_backoff_seconds": 3601}}, "3600"),
        ({"links": "ftp://files"}, "http://127.0.0.1"),
        ({"dagster": "127.0.0.1:3000"}, "http://127.0.0.1"),
        ({"stroe": "videos"}, "Did you mean 'store'?"),
    ],
)
def test_what_cannot_be_is_told_with_line_and_remedy(
    quick_project: Project, changes: dict[str, Any], words: str
):
    said = problem(quick_project, **changes)
    assert "resources/local/defs.yaml:" in said
    assert words in said


def test_addresses_are_limited_where_the_cpu_renders(quick_project: Project):
    h100 = {"h100": {"price_usd_per_hour": "2.69"}}
    said = problem(
        quick_project, gpu_class="h100", gpu_classes=h100, workers={"memory_limit_gib": 8}
    )
    assert "memory_limit_gib is for CPUs" in said


def test_tenants_take_exact_renders_only_unless_they_say_so(quick_project: Project):
    assert read_settings(quick_project.root, "local").tenant("demo").degradation == "exact_only"
    said = problem(quick_project, tenants={"demo": {"plan": "studio", "degradation": "alowed"}})
    assert "Did you mean 'allowed'?" in said


def test_failed_shots_are_tried_again_after_the_pauses_that_the_docs_name():
    backoff = read_settings(Path(__file__).parents[2], "local").rerender.backoff
    assert backoff.failures_until_rest == 4
    assert [backoff.pause(failures) / timedelta(minutes=1) for failures in (1, 2, 3)] == [1, 4, 16]


def test_an_environment_that_is_not_there_is_named(quick_project: Project):
    with pytest.raises(InputError, match=r"resources/production/defs\.yaml"):
        read_settings(quick_project.root, "production")


def test_a_tenant_that_nobody_declared_is_told_with_the_one_that_was_meant(quick_project: Project):
    settings = read_settings(quick_project.root, "local")
    with pytest.raises(InputError, match=r"resources/local/defs.yaml, tenants: .*'dmeo'") as told:
        settings.tenant("dmeo")
    assert "Did you mean 'demo'?" in str(told.value)


def test_a_secret_comes_from_the_process_environment(
    quick_project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    quick_project.environment(ledger={"env": "TEST_LEDGER"}, store={"env": "TEST_STORE"})
    monkeypatch.setenv("TEST_STORE", str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match=r"TEST_LEDGER is not set.*Set TEST_LEDGER"):
        quick_project.studio()
    monkeypatch.setenv("TEST_LEDGER", str(tmp_path / "elsewhere.sqlite"))
    studio = quick_project.studio()
    assert studio.ledger.name == str(tmp_path / "elsewhere.sqlite")
    assert studio.store.uri("a").startswith((tmp_path / "elsewhere").as_uri())


def test_a_slash_at_the_end_of_an_address_makes_no_difference(quick_project: Project):
    quick_project.environment(links="http://127.0.0.1:3070/")
    assert quick_project.studio().link("a b") == "http://127.0.0.1:3070/a%20b"


def test_a_gpu_class_is_known_by_its_data_sheet(quick_project: Project):
    price = {"price_usd_per_hour": "2.69"}
    said = problem(quick_project, gpu_class="farm", gpu_classes={"farm": price})
    assert "gpu_classes.farm needs `hardware`, one of the known data sheets: rtx4090" in said
    for classes in ({"h100": price}, {"farm": {**price, "hardware": "a100"}}):
        quick_project.environment(gpu_class=next(iter(classes)), gpu_classes=classes)
        assert quick_project.studio().settings.rendering_class.device == "cuda"
