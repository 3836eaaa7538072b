"""Health, metrics, limits, and the form of errors."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from prometheus_client import generate_latest

from tests.serving.gate import Gate, Served, eventually, served
from wan_pipelines.engines.protocol import EAGER, Compilation, Engine
from wan_pipelines.serving.app import BODY_BYTES
from wan_pipelines.serving.meters import Meters


def test_it_is_alive_while_it_loads_and_ready_when_it_has_loaded(tmp_path: Path) -> None:
    loaded = Event()

    class Slow(Gate):
        def open_engine(self) -> Engine:
            loaded.wait()
            return super().open_engine()

    with served(tmp_path, Slow()) as server:
        assert server.http.get("/healthz").status_code == 200
        assert server.http.get("/readyz").status_code == 503
        made = server.create()
        assert server.http.get("/readyz").json()["queued"] == 1
        loaded.set()
        server.until(made["id"], "completed")
        assert server.http.get("/readyz").status_code == 200


def test_the_age_of_the_last_step_is_told_while_something_renders(server: Served) -> None:
    assert server.http.get("/readyz").json()["last_step_age_seconds"] is None
    server.gate.held.add("held")
    server.create("held")
    eventually(lambda: server.gate.steps == [0, 1])
    assert 0 <= server.http.get("/readyz").json()["last_step_age_seconds"] < 10
    assert 'wan_engine_rendering{release="sample"} 1.0' in server.http.get("/metrics").text
    server.gate.opened.set()


def test_a_body_that_is_nested_too_deeply_is_no_json(server: Served) -> None:
    headers = {"content-type": "application/json"}
    refused = server.http.post("/v1/videos", content=b"[" * 60_000, headers=headers)
    assert (refused.status_code, "is not JSON" in refused.text) == (400, True)


def test_metrics_count_what_happened(server: Served) -> None:
    server.until(server.create()["id"], "completed")
    server.http.post("/v1/videos", json={"prompt": "x", "size": "1x1"})
    metrics = eventually(lambda: "completed" in (text := server.http.get("/metrics").text) and text)
    for line in (
        'wan_engine_jobs_total{outcome="completed",release="sample"} 1.0',
        'wan_engine_frames_total{release="sample"} 9.0',
        'wan_engine_denoise_steps_total{release="sample"} 6.0',
        'wan_engine_refused_requests_total{code="invalid_value",release="sample"} 1.0',
        'wan_engine_stage_seconds_count{release="sample",stage="denoise"} 1.0',
        'wan_engine_queued_jobs{release="sample"} 0.0',
        'wan_engine_ready{release="sample"} 1.0',
    ):
        assert line in metrics


def _chunks(count: int) -> Iterator[bytes]:
    yield from (b"x" * 1024 for _ in range(count))


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_that_is_too_large_is_not_read(refusing: Served, kind: str) -> None:
    headers = {"Content-Type": kind}
    for body in (b"x" * (BODY_BYTES + 1), _chunks(BODY_BYTES // 1024 + 1)):
        refused = refusing.http.post("/v1/videos", content=body, headers=headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"json": ["a ball"]}, 400),
        ({"json": {}}, 400),
        ({"content": b"a ball", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"files": {"input_reference": ("cat.png", b"png")}, "data": {"prompt": "x"}}, 400),
        ({"json": {"prompt": "x"}, "headers": {"Idempotency-Key": "k" * 256}}, 400),
    ],
)
def test_a_body_that_is_none_is_refused(
    refusing: Served, request_: dict[str, Any], status: int
) -> None:
    refused = refusing.http.post("/v1/videos", **request_)
    assert refused.status_code == status
    assert refused.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "order=up", "after=nobody"])
def test_a_page_that_is_none_is_refused(refusing: Served, query: str) -> None:
    refused = refusing.http.get(f"/v1/videos?{query}")
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == query.partition("=")[0]


def test_an_unknown_route_is_answered_in_the_same_form(refusing: Served) -> None:
    assert refusing.http.get("/v1/nothing").json()["error"]["code"] == "no_such_route"
    assert refusing.http.put("/v1/videos").status_code == 405


def test_the_lossless_rendition_is_there_when_it_was_asked_for(server: Served) -> None:
    plain, exact = server.create(), server.create(lossless=True)
    server.until(exact["id"], "completed")
    refused = server.http.get(f"/v1/videos/{plain['id']}/content?variant=lossless")
    assert refused.status_code == 400
    film = server.http.get(f"/v1/videos/{exact['id']}/content?variant=lossless")
    assert film.headers["Content-Type"] == "video/x-matroska"
    assert film.content.startswith(b"\x1a\x45\xdf\xa3")
    sheet = server.http.get(f"/v1/videos/{exact['id']}/content?variant=spritesheet")
    assert "video, thumbnail, lossless" in sheet.json()["error"]["message"]


def test_metrics_tell_compiled_code_from_none() -> None:
    meters = Meters("sample", waiting=lambda: 0)
    for compilation in (EAGER, Compilation(artifacts=("ab" * 32,)), Compilation(missed="none")):
        meters.compilation(compilation)
    told = generate_latest(meters.registry).decode()
    assert 'wan_engine_artifacts_total{release="sample",result="hit"} 1.0' in told
    assert 'wan_engine_artifacts_total{release="sample",result="miss"} 1.0' in told
