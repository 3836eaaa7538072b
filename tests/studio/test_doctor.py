import os
import shutil
from pathlib import Path
from time import sleep
from types import SimpleNamespace

import psutil
import pytest

from tests.support.project import Project
from wan_pipelines.encoding.ffmpeg import ffmpeg_binary
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.rendering.clock import Instant
from wan_pipelines.rendering.progress import Progress
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio import deployment_checks, machine_checks
from wan_pipelines.studio.books import LedgerBook
from wan_pipelines.studio.deployment_checks import check_deployment
from wan_pipelines.studio.doctor import examine
from wan_pipelines.studio.findings import Finding
from wan_pipelines.studio.machine_checks import check_machine, check_threads
from wan_pipelines.studio.planning import admit
from wan_pipelines.studio.rendering_settings import Workers
from wan_pipelines.studio.worker_checks import check_workers
from wan_pipelines.units import GIB


@pytest.fixture(autouse=True)
def _engines_load(monkeypatch: pytest.MonkeyPatch):
    """Loading a real engine is tested with the engines."""
    monkeypatch.setattr(deployment_checks, "load", lambda prepared: NullEngine(prepared.release))


def examined(project: Project) -> dict[str, Finding]:
    found = list(examine(project.root, project.state, "local"))
    assert len({finding.check for finding in found}) == len(found)
    return {finding.check: finding for finding in found}


def deployment(project: Project) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_deployment(project.studio())}


def machine(state: Path) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_machine(state)}


def test_a_fit_machine_has_no_problems(quick_project: Project):
    found = examined(quick_project)
    assert {check for check, finding in found.items() if finding.state == "problem"} == set()
    assert found["ffmpeg"].message.endswith("makes h264, h264-half, av1")
    assert found["briefs"].message == "1 campaigns with 2 shots"
    assert found["price"].message == "an hour of 1 x laptop-cpu costs $0.10"
    assert found["quota"].message == "demo unlimited; small 5 shots per user and day"
    assert found["release sample"].message.startswith("weights verified, loaded in ")
    assert found["dagster"].message.endswith(".wan/dagster")


def test_a_worker_that_hangs_is_a_notice(quick_project: Project):
    limits = {"times_estimate": 1, "at_least_seconds": 1e-9}
    quick_project.environment(deadlines=limits)
    studio = quick_project.studio()
    plan = admit(studio, "balls", "one")
    run = RunReference("run", "step")
    assert check_workers(studio).message == "0 paid at the moment"
    with LedgerBook.opened(studio, plan.edition, run, Instant.of_birth()) as book:
        assert check_workers(studio).state == "ok"
        book.stand(Progress("shot", "take", 1, 4, 0, 2))
        sleep(0.001)
        book.beat()
        found = check_workers(studio)
    assert found.state == "notice"
    assert f":{os.getpid()}: no step for 1e-09 s" in found.message


def test_an_environment_that_cannot_be_opened_is_the_last_finding(quick_project: Project):
    quick_project.environment(gpu_class="h100")
    found = list(examine(quick_project.root, quick_project.state, "local"))
    assert (found[-1].check, found[-1].state) == ("store and ledger", "problem")
    assert "h100" in found[-1].message


def test_a_damaged_ledger_is_a_problem(quick_project: Project):
    (quick_project.state / "ledger.sqlite").write_text("no database at all, but long enough" * 99)
    found = list(examine(quick_project.root, quick_project.state, "local"))
    assert (found[-1].check, found[-1].state) == ("store and ledger", "problem")


def test_a_release_that_this_machine_cannot_render_is_a_notice_in_a_sentence(
    quick_project: Project,
):
    quick_project.release("large", needs={"cuda": ">=12.1", "gpu_memory_gib": 79})
    found = deployment(quick_project)["release large"]
    assert found.state == "notice"
    assert found.message == (
        "This machine cannot render it (cuda: >=12.1 is needed, none is here; gpu_memory_gib: "
        "79 GiB is needed, no GPU is here); others are not affected."
    )


def test_damaged_weights_are_a_problem(quick_project: Project, tmp_path: Path, no_weights: Path):
    copy = shutil.copytree(no_weights, tmp_path / "weights")
    quick_project.release(source={"folder": str(copy)})
    (copy / "model_index.json").write_text("[]")
    found = deployment(quick_project)["release sample"]
    assert found.state == "problem"
    assert "model_index.json" in found.message


def test_large_weights_are_verified_but_not_loaded(
    quick_project: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(deployment_checks, "LOADED_UP_TO_BYTES", 1)
    assert deployment(quick_project)["release sample"].message == "weights verified"


def test_a_brief_or_release_that_cannot_be_read_is_a_problem(quick_project: Project):
    quick_project.campaign(prompts=["a {colour} ball"])
    found = deployment(quick_project)
    assert (found["releases"].state, found["briefs"].state) == ("ok", "problem")
    quick_project.release(fps="many")
    found = deployment(quick_project)
    assert found["releases"].state == "problem"
    assert "briefs" not in found


def test_a_campaign_that_nobody_pays_for_is_a_problem(quick_project: Project):
    quick_project.campaign(tenant="demos")
    found = deployment(quick_project)["briefs"]
    assert found.state == "problem"
    assert "Did you mean 'demo'?" in found.message


def test_prices_and_quota_that_make_no_sense_are_notices(quick_project: Project):
    classes = {"laptop-cpu": {"device": "cpu", "price_usd_per_hour": "0"}}
    quick_project.environment(
        gpu_classes=classes,
        plans={"free": {"shots_per_user_and_day": 0}},
        tenants={"demo": {"plan": "free"}},
    )
    found = deployment(quick_project)
    assert (found["price"].state, found["quota"].state) == ("notice", "notice")
    assert "gpu_classes.laptop-cpu.price_usd_per_hour" in found["price"].remedy
    assert found["quota"].message == "demo may render nothing."


def test_more_threads_than_cores_are_a_notice():
    assert check_threads(Workers(count=1, threads=1)).state == "ok"
    found = check_threads(Workers(count=1000, threads=2))
    assert (found.state, found.message[:31]) == ("notice", "workers compute on 2000 threads")


def test_folders_that_cannot_be_written_are_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(machine_checks.os, "access", lambda *_: False)
    found = machine(tmp_path / "state")
    assert (found["disk"].state, found["dagster"].state) == ("problem", "problem")
    assert "WAN_PIPELINES_STATE" in found["disk"].remedy


def test_little_disk_or_memory_is_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    little = SimpleNamespace(free=GIB, available=GIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: little)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: little)
    found = machine(tmp_path)
    assert (found["disk"].state, found["memory"].state) == ("notice", "notice")
    assert found["memory"].message == "1.0 GiB of memory free"


def test_an_ffmpeg_that_does_not_work_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "gone"))
    ffmpeg_binary.cache_clear()
    found = machine(tmp_path)["ffmpeg"]
    ffmpeg_binary.cache_clear()
    assert found.state == "problem"
    assert "gone" in found.message
