"""`wan engine serve` in a process of its own, with a model that really renders."""

import signal
import time
from typing import Any

import httpx2
import pytest

from tests.cli.invoking import Wan
from tests.support.engine_server import PATIENCE_SECONDS, engine_server
from tests.support.project import Project, project
from tests.support.tiny_pipeline import tiny_folder
from wan_pipelines.serving.job_store import JobStore
from wan_pipelines.serving.keys import KEYS_VARIABLE

__all__ = ["project", "tiny_folder"]

WISH = {"prompt": "a red ball", "seed": 1, "num_inference_steps": 20, "lossless": True}


def create(address: str, **fields: Any) -> str:
    body = {**WISH, **fields}
    answer = httpx2.post(f"{address}/v1/videos", json=body, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def until(address: str, video_id: str, status: str, progress: int = 0) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        job = httpx2.get(f"{address}/v1/videos/{video_id}", timeout=PATIENCE_SECONDS).json()
        if job["status"] == status and job["progress"] >= progress:
            return job
        time.sleep(0.01)
    pytest.fail(f"{video_id} is never {status}")


@pytest.mark.timeout(600)  # three processes that load a model, however busy the machine
def test_jobs_survive_a_kill_and_a_server_that_is_told_to_end(project: Project) -> None:
    with engine_server(project) as (process, address):
        first = create(address)
        until(address, first, "in_progress", progress=2)
        process.kill()
        process.wait()
    with engine_server(project) as (process, address):
        assert until(address, first, "completed")["attempts"] == 2
        again = create(address)
        until(address, again, "completed")
        films = [
            httpx2.get(f"{address}/v1/videos/{video}/content?variant=lossless").content
            for video in (first, again)
        ]
        assert films[0] == films[1], "the same order gives the same pixels"
        cut_short = create(address, num_inference_steps=100)
        until(address, cut_short, "in_progress", progress=2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    (file,) = project.state.glob("engine/*/jobs.sqlite")
    job = JobStore(file).get("", cut_short)
    assert job
    assert (job.status, job.attempts) == ("queued", 0)


def test_a_release_of_another_server_is_not_served_again(wan: Wan, quick_project: Project) -> None:
    source = {"server": "farm", "kind": "wan", "model": "sample", "version": "1"}
    quick_project.release("elsewhere", source=source)
    said = wan("engine", "serve", "elsewhere", "--port", "0")
    assert (said.exit_code, said.stdout) == (1, "")
    assert "is itself rendered on a server, 'farm'" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (("smaple",), {}, "Did you mean 'sample'?"),
        (("sample", "--host", "0.0.0.0"), {}, f"Set {KEYS_VARIABLE}"),
        (("sample", "--host", "203.0.113.1"), {}, "Choose another --host or --port"),
        (("sample",), {KEYS_VARIABLE: "secret"}, "entry 1 is not of the form name:key"),
    ],
)
def test_what_keeps_it_from_serving_is_said_in_a_sentence(
    wan: Wan, arguments: tuple[str, ...], variables: dict[str, str], words: str
) -> None:
    said = wan("engine", "serve", *arguments, "--port", "0", **variables)
    assert (said.exit_code, said.stdout) == (1, "")
    assert words in said.stderr
    assert "secret" not in said.stderr
