"""A remote engine hands back what its server rendered, and tells itself from a local one."""

from threading import Thread

import numpy as np
import pytest

from tests.engines.remote.remotes import VIDEOS, Remote, check, remote_release
from tests.serving.gate import RELEASE, eventually
from tests.support.releases import hub_release
from wan_pipelines.engines.remote.engine import open_remote_engine
from wan_pipelines.engines.remote.servers import RemoteServer
from wan_pipelines.errors import EngineError, RenderError

LORA = {
    "expert": "high",
    "repository": "somebody/lora",
    "revision": "0" * 40,
    "file": "high.safetensors",
    "size_bytes": 1000,
}


class Cancelled(Exception):
    pass


def test_the_frames_are_the_servers_to_the_last_bit(remote: Remote) -> None:
    request, told = remote.request(frames=13), list[tuple[int, int]]()
    footage = remote.engine().render(request, lambda step, steps: told.append((step, steps)))
    check(remote, request, footage)
    assert (footage.steps, footage.frames.shape) == (4, (13, 64, 64, 3))
    assert footage.stages.denoise_high > 0
    assert told[-1] == (4, 4)
    assert told == sorted(told)


def test_a_server_without_lossless_files_gives_nearly_the_same(remote: Remote) -> None:
    lossy = remote.of_kind("vllm-omni")
    request = lossy.request()
    footage = lossy.engine().render(request)
    expected = lossy.expected(request)
    assert footage.frames.shape == expected.shape
    difference = footage.frames.astype(int) - expected.astype(int)
    assert 0 < np.abs(difference).mean() < 12


def test_what_renders_elsewhere_is_another_video_in_the_books(remote: Remote) -> None:
    engine, source = remote.engine(), remote.release.source
    assert engine.name == f"remote wan {RELEASE.identity[:16]}"
    assert engine.fingerprint.gpu == engine.name
    assert remote.release.identity != RELEASE.identity
    assert remote_release("wan", server="another").identity == remote.release.identity
    for other in (
        remote_release("wan", version="b" * 16),
        remote_release("vllm-omni"),
        remote_release("wan", parameters={"tier": "draft"}),
    ):
        assert other.identity != remote.release.identity
    assert source


def test_parameters_go_with_every_request(remote: Remote) -> None:
    slower = Remote(
        remote.server, remote.proxy, remote_release("wan", parameters={"num_inference_steps": 7})
    )
    request = slower.request()
    slower.engine().render(request)
    (job,) = [
        job
        for job in slower.server.http.get(VIDEOS).json()["data"]
        if job["prompt"] == request.prompt
    ]
    assert job["num_inference_steps"] == 7


def test_progress_is_told_in_steps_while_the_server_renders(remote: Remote) -> None:
    request, told = remote.request(), list[int]()
    remote.server.gate.held.add(request.prompt)
    thread = Thread(
        target=remote.engine().render, args=(request, lambda step, _steps: told.append(step))
    )
    thread.start()
    eventually(lambda: told.count(0) > 3 and remote.server.gate.begun)
    remote.server.gate.opened.set()
    thread.join()
    assert told[-1] == 4


def test_ending_a_render_deletes_its_job(remote: Remote) -> None:
    request = remote.request()
    remote.server.gate.held.add(request.prompt)

    def at_step(step: int, steps: int) -> None:
        if remote.server.gate.begun:
            raise Cancelled

    with pytest.raises(Cancelled):
        remote.engine().render(request, at_step)
    assert not [job for job in remote.jobs() if remote.server.get(job)["status"] == "in_progress"]
    later = remote.request()
    check(remote, later, remote.engine().render(later))


def test_a_render_that_was_left_is_gone_on_with_by_the_next_worker(remote: Remote) -> None:
    request, engine = remote.request(), remote.engine("tenant")
    check(remote, request, engine.render(request))
    check(remote, request, remote.engine("tenant").render(request))
    other = remote.engine("another tenant").render(request)
    assert remote.server.gate.begun.count(request.prompt) == 2, "tenants share nothing"
    assert np.array_equal(other.frames, remote.expected(request))


def test_a_failed_render_says_why_and_may_be_tried_again(remote: Remote) -> None:
    request, engine = remote.request(), remote.engine()
    remote.server.gate.faults[request.prompt] = RenderError("not finite", stage="denoise")
    with pytest.raises(RenderError, match="could not render it: not finite"):
        engine.render(request)
    del remote.server.gate.faults[request.prompt]
    assert engine.render(request).frames.shape == (9, 64, 64, 3)


def test_what_the_server_refuses_is_told_in_its_words(remote: Remote) -> None:
    request = remote.request(frames=17, width=96, height=96)
    with pytest.raises(RenderError, match="It draws 64x64, 96x64"):
        remote.engine().render(request)


def test_a_video_that_takes_too_long_is_given_up_and_deleted(remote: Remote) -> None:
    request = remote.request()
    remote.server.gate.held.add(request.prompt)
    with pytest.raises(RenderError, match="was not done after"):
        remote.engine(render_seconds=0.2).render(request)
    remote.server.gate.opened.set()
    later = remote.request()
    check(remote, later, remote.engine().render(later))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"model": "other"}, "has no model 'other'; it has: sample"),
        ({"version": "b" * 16}, "Pin it as it is, or serve what is pinned"),
    ],
)
def test_a_server_of_something_else_is_refused_before_anything_is_rendered(
    remote: Remote, source: dict[str, str], words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        open_remote_engine(remote_release("wan", **source), RemoteServer(remote.proxy.url))


def test_a_server_that_is_not_there_is_told_with_its_address() -> None:
    nowhere = RemoteServer("http://127.0.0.1:9", outage_seconds=0.2)
    with pytest.raises(EngineError, match=r"http://127.0.0.1:9 could not be used: no connection"):
        open_remote_engine(remote_release("wan"), nowhere)


@pytest.mark.parametrize("option", [{"loras": [LORA]}, {"quantisation": "int8_dynamic"}])
def test_what_a_server_decides_is_not_declared(option: dict[str, object]) -> None:
    tiers = {"standard": {"steps": 4, "guidance": 1.0, **option}}
    source = {"server": "farm", "kind": "wan", "model": "sample", "version": "a" * 16}
    with pytest.raises(ValueError, match=r"are the server's; ask it"):
        hub_release(source=source, tiers=tiers, default_tier="standard")
