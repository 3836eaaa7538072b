"""The wheel: what is in it, and that it works without the checkout."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.project import Project

ROOT = Path(__file__).parents[2]
PROBE = """
import wan_pipelines
from wan_pipelines.definitions import defs
from wan_pipelines.weights.sources import PackagedSource
print(wan_pipelines.__file__)
print(PackagedSource("wan-tiny").ensure(__import__("pathlib").Path(".")).path)
print(*sorted(job.name for job in defs().resolve_all_job_defs()))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", *command, str(ROOT)], check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"wan_pipelines"}
    for data in (
        "components/templates/Campaign.yaml",
        "campaigns/screening.yaml",
        "pages/templates/edition.html.j2",
        "ledger/migrations/env.py",
        "weights/checkpoints/wan-tiny/manifest.json",
        "weights/checkpoints/wan-tiny/transformer/diffusion_pytorch_model.safetensors",
    ):
        assert f"wan_pipelines/{data}" in names
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_installed_wheel_loads_a_root_that_is_named(
    wheel: Path, quick_project: Project
) -> None:
    installed = quick_project.root / "site"
    with ZipFile(wheel) as archive:
        archive.extractall(installed)
    variables = {**os.environ, **quick_project.variables, "PYTHONPATH": str(installed)}
    found = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=quick_project.root,
        env=variables,
        check=True,
        capture_output=True,
        text=True,
    )
    package, weights, jobs = found.stdout.splitlines()
    assert package == str(installed / "wan_pipelines" / "__init__.py")
    assert weights.startswith(str(installed))
    assert {"campaign_balls", "render_prompt"} <= set(jobs.split())
