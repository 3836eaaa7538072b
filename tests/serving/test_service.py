"""Jobs are rendered one after the other, and outlive the server."""

import socket
from pathlib import Path
from threading import Event

import pytest

from tests.serving.gate import ANYBODY, RELEASE, Gate, Served, eventually, served
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.errors import EngineError, RenderError
from wan_pipelines.serving.job_store import JobStore
from wan_pipelines.serving.server import serve_until
from wan_pipelines.serving.service import Limits, VideoService

KEY = {"Idempotency-Key": "one"}


def test_a_job_shows_how_far_it_is(server: Served) -> None:
    server.gate.held.add("held")
    made = server.create("held")
    assert (made["status"], made["progress"]) == ("queued", 0)
    running = eventually(lambda: (job := server.get(made["id"]))["progress"] and job)
    assert (running["status"], running["progress"]) == ("in_progress", 99 // 6)
    early = server.http.get(f"/v1/videos/{made['id']}/content")
    assert (early.status_code, early.json()["error"]["code"]) == (400, "not_ready")
    server.gate.opened.set()
    assert server.until(made["id"], "completed")["progress"] == 100


def test_the_same_key_makes_one_video_only(server: Served) -> None:
    first, again = (
        server.http.post("/v1/videos", json={"prompt": "a ball"}, headers=KEY) for _ in range(2)
    )
    assert first.json()["id"] == again.json()["id"]
    other = server.http.post("/v1/videos", json={"prompt": "a box"}, headers=KEY)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
    server.until(first.json()["id"], "completed")
    assert server.gate.begun == ["a ball"]


def test_a_deleted_video_frees_its_key(server: Served) -> None:
    first = server.http.post("/v1/videos", json={"prompt": "a ball"}, headers=KEY).json()
    server.http.delete(f"/v1/videos/{first['id']}")
    again = server.http.post("/v1/videos", json={"prompt": "a ball"}, headers=KEY).json()
    assert server.until(again["id"], "completed")["id"] != first["id"]


def test_a_running_video_that_is_deleted_ends_at_its_step(server: Served, tmp_path: Path) -> None:
    server.gate.held.add("held")
    held, later = server.create("held"), server.create("later")
    eventually(lambda: server.gate.steps)
    assert server.http.delete(f"/v1/videos/{held['id']}").json()["deleted"]
    server.until(later["id"], "completed")
    assert 2 not in server.gate.steps[: server.gate.steps.index(0, 1)]
    assert server.http.get(f"/v1/videos/{held['id']}").status_code == 404
    assert not list(tmp_path.glob(f"*/videos/{held['id']}"))
    assert 'outcome="cancelled"' in server.http.get("/metrics").text


def test_a_waiting_video_that_is_deleted_is_never_begun(server: Served) -> None:
    server.gate.held.add("held")
    held, waiting = server.create("held"), server.create("waiting")
    server.http.delete(f"/v1/videos/{waiting['id']}")
    server.gate.opened.set()
    server.until(held["id"], "completed")
    last = server.create("last")
    server.until(last["id"], "completed")
    assert server.gate.begun == ["held", "last"]


def test_a_full_queue_refuses_and_says_when_to_come_again(tmp_path: Path) -> None:
    with served(tmp_path, Gate(held={"held"}), limits=Limits(queue=2)) as server:
        held = server.create("held")
        server.until(held["id"], "in_progress")
        for number in range(2):
            server.create(f"waiting {number}")
        refused = server.http.post("/v1/videos", json={"prompt": "one too many"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full")
        assert int(refused.headers["Retry-After"]) >= 1


def test_a_failed_render_says_why_and_the_next_one_is_rendered(tmp_path: Path) -> None:
    faults: dict[str, Exception] = {
        "bad": RenderError("Latents are not finite.", stage="denoise"),
        "worse": ZeroDivisionError("secret detail"),
    }
    with served(tmp_path, Gate(faults=faults)) as server:
        bad, worse, good = (server.create(prompt) for prompt in ("bad", "worse", "good"))
        server.until(good["id"], "completed")
        error = server.get(bad["id"])["error"]
        assert error == {"code": "denoise_failed", "message": "Latents are not finite."}
        assert "secret" not in server.get(worse["id"])["error"]["message"]


def test_what_a_stopped_server_left_is_rendered_when_it_is_back(tmp_path: Path) -> None:
    with served(tmp_path, Gate(held={"held"})) as server:
        held = server.create("held", seed=3)
        waiting = server.create("waiting")
        eventually(lambda: server.gate.steps)
    assert server.gate.steps == [0, 1]
    with served(tmp_path) as server:
        done = server.until(held["id"], "completed")
        assert (done["seed"], done["attempts"]) == (3, 1)
        server.until(waiting["id"], "completed")
        assert server.gate.begun == ["held", "waiting"]


def test_a_server_may_finish_the_video_under_way(tmp_path: Path) -> None:
    gate = Gate(held={"held"})
    with served(tmp_path, gate, limits=Limits(finish_job=True)) as server:
        held = server.create("held")
        server.create("waiting")
        eventually(lambda: gate.steps)
        server.service.loop._stop.set()
        refused = server.http.post("/v1/videos", json={"prompt": "too late"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "stopping")
        gate.opened.set()
        server.until(held["id"], "completed")
    assert gate.begun == ["held"]


def test_a_video_that_kills_the_server_is_given_up(tmp_path: Path) -> None:
    with served(tmp_path, Gate(held={"killer"})) as server:
        killer = server.create("killer")
        eventually(lambda: server.gate.steps)
    (file,) = tmp_path.glob("*/jobs.sqlite")
    for _ in range(3):  # as if killed in the middle of a render, each time
        store = JobStore(file)
        store.begin_next()
        store.put_back_interrupted()
        store.close()
    with served(tmp_path, Gate()) as server:
        failed = server.until(killer["id"], "failed")
        assert "ended 3 times" in failed["error"]["message"]
        assert server.gate.begun == []


def test_what_has_expired_goes_away_with_its_files(tmp_path: Path) -> None:
    with served(tmp_path, limits=Limits(keep_hours=0)) as server:
        first = server.create("first")
        server.until(first["id"], "completed")
        server.create("second")  # whoever comes next clears up
        eventually(lambda: server.http.get(f"/v1/videos/{first['id']}").status_code == 404)
    assert not list(tmp_path.glob(f"*/videos/{first['id']}"))


def test_two_servers_do_not_work_in_one_folder(tmp_path: Path, server: Served) -> None:
    with pytest.raises(EngineError, match="Another server works in"), served(tmp_path):
        pass


def test_an_engine_that_does_not_load_ends_the_server(tmp_path: Path) -> None:
    def open_engine() -> Engine:
        raise EngineError("no weights")

    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        VideoService.opened(RELEASE, open_engine, tmp_path) as service,
        pytest.raises(EngineError, match="no weights"),
    ):
        serve_until(Event(), service, ANYBODY, listening)
