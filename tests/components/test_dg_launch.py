"""`dg launch` runs a job as the UI does."""

import json
import subprocess
import sys
from pathlib import Path
from shutil import copy

from tests.support.project import Project, project
from tests.support.tiny_pipeline import tiny_folder
from wan_pipelines.ledger.reports import videos

__all__ = ["project", "tiny_folder"]

ROOT = Path(__file__).parents[2]


def test_a_prompt_is_rendered(project: Project) -> None:
    copy(ROOT / "pyproject.toml", project.root)
    home = project.state / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    config = {"ops": {"prompt__video": {"config": {"prompt": "a red ball"}}}}
    command = ["launch", "--job", "render_prompt", "--config-json", json.dumps(config)]
    done = subprocess.run(
        [Path(sys.executable).with_name("dg"), *command],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (video,) = videos(project.studio().ledger, "demo")
    assert video.prompt == "a red ball"
