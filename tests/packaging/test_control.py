"""What the control image has installed is enough for all that it does: plan, watch, account."""

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from deploy.locks import RENDERING, canonical, closure, control_lock, declared, pins
from tests.support.project import Project

ROOT = Path(__file__).parents[2]
HIDING = """
import sys
from importlib.machinery import PathFinder

class Installed(PathFinder):
    absent = frozenset({absent!r})

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in cls.absent
        return None if hidden else super().find_spec(name, path, target)

sys.meta_path[:] = [Installed if each is PathFinder else each for each in sys.meta_path]
"""
PROBE = """
import wan_pipelines.definitions as definitions
import dagster._grpc.server, dagster_webserver.cli, dagster_k8s, dagster_postgres
from wan_pipelines.cli.app import app
print(*sorted(job.name for job in definitions.defs().resolve_all_job_defs()), flush=True)
app(["doctor"])
"""


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Python that finds only what `requirements-control.lock` names."""
    kept = {*pins(ROOT / "requirements-control.lock"), "wan-pipelines"}
    absent = {
        module
        for module, owners in metadata.packages_distributions().items()
        if not kept & {canonical(owner) for owner in owners}
    }
    assert {"torch", "diffusers", "transformers", "accelerate", "pytest"} <= absent
    folder = tmp_path_factory.mktemp("control")
    hiding = HIDING.format(absent=sorted(absent - {"_distutils_hack"}))
    (folder / "sitecustomize.py").write_text(hiding)
    return {**os.environ, "PYTHONPATH": str(folder)}


def test_the_lock_is_a_part_of_the_whole_and_wants_nothing_else():
    control = pins(ROOT / "requirements-control.lock")
    assert control == control_lock()
    assert control.items() < pins(ROOT / "requirements.lock").items()
    assert not RENDERING & control.keys()
    kept = closure(each for each in declared() if canonical(each.name) in control)
    assert kept <= control.keys()


def test_cudas_libraries_are_pinned_beside_the_whole_lock():
    cuda = pins(ROOT / "requirements-cuda.lock")
    assert {"nvidia-cuda-runtime", "nvidia-cudnn-cu13", "triton"} <= cuda.keys()
    assert not cuda.keys() & pins(ROOT / "requirements.lock").keys()
    assert all(re.fullmatch(r"[\w.]+", version) for version in cuda.values())


def test_definitions_load_and_the_doctor_looks_without_torch(
    control: dict[str, str], quick_project: Project
):
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env={**control, **quick_project.variables},
        check=True,
        capture_output=True,
        text=True,
    )
    jobs, *findings = done.stdout.splitlines()
    assert {"campaign_balls", "render_prompt"} <= set(jobs.split())
    assert any("Without torch nothing is rendered here" in each for each in findings)
    assert any("ffmpeg" in each for each in findings)
