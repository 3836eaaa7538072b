"""Whatever goes wrong in between: the right pixels, rendered once, or an error that says why."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.engines.remote.remotes import Remote, check
from tests.support.fault_proxy import Answer, delay, reset, status
from wan_pipelines.errors import RenderError

CONTENT = "/content"
JOBS = "/v1/videos"
PASSING: dict[str, Callable[..., Any]] = {
    "reset": reset,
    "500": status(500),
    "502": status(502),
    "429": status(429, Retry_After="0"),
    "nonsense": lambda answer: Answer(200, {}, b"<html>"),
    "empty": lambda answer: Answer(200, {}, b"{}"),
}


@pytest.mark.parametrize("fault", ["reset", "500", "429", "nonsense", "empty"])
@pytest.mark.parametrize("kind", ["wan", "sglang"])
def test_a_creation_whose_answer_is_lost_is_not_made_twice(
    remote: Remote, kind: Any, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wan_pipelines.engines.remote.jobs.SETTLE_SECONDS", 0.05)
    served = remote.of_kind(kind)
    request, engine = served.request(), served.engine()
    if fault == "429":  # says that nothing was made, and so it is
        served.spoil("POST", JOBS, PASSING[fault], times=2, before=True)
    else:
        served.spoil("POST", JOBS, PASSING[fault])
    engine.render(request)
    assert served.server.gate.begun.count(request.prompt) == 1


@pytest.mark.parametrize("kind", ["wan", "vllm-omni"])
def test_a_creation_that_never_arrives_is_repeated(
    remote: Remote, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wan_pipelines.engines.remote.jobs.SETTLE_SECONDS", 0.05)
    served = remote.of_kind(kind)
    request, engine = served.request(), served.engine()
    served.spoil("POST", JOBS, reset, times=3, before=True)
    engine.render(request)
    assert served.server.gate.begun.count(request.prompt) == 1


def test_a_creation_that_is_answered_late_is_not_made_twice(remote: Remote) -> None:
    request, engine = remote.request(), remote.engine(answer_seconds=0.3)
    remote.spoil("POST", JOBS, delay(0.6))
    check(remote, request, engine.render(request))


def test_of_several_new_jobs_none_is_taken_for_ours(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wan_pipelines.engines.remote.jobs.SETTLE_SECONDS", 0.05)
    shared = remote.of_kind("sglang")
    request, engine = shared.request(), shared.engine()

    def meanwhile(answer: Answer) -> None:
        shared.server.create(request.prompt, seed=99)

    shared.spoil("POST", JOBS, meanwhile)
    with pytest.raises(RenderError, match="2 new jobs that may be the one asked for"):
        engine.render(request)


@pytest.mark.parametrize("fault", PASSING)
def test_questions_are_asked_again(remote: Remote, fault: str) -> None:
    request, engine = remote.request(), remote.engine()
    made: list[str] = []

    def spoil_its_questions(answer: Answer) -> Answer:
        job = answer.body.decode().partition('"id":"')[2].partition('"')[0]
        made.append(job)
        remote.spoil("GET", f"{JOBS}/{job}", PASSING[fault], times=3)
        return answer

    remote.spoil("POST", JOBS, spoil_its_questions)
    check(remote, request, engine.render(request))
    assert made
    assert not remote.proxy.faults


@pytest.mark.parametrize(
    "fault",
    [
        reset,
        status(500),
        status(404),
        lambda answer: Answer(200, {}, answer.body[: len(answer.body) // 2]),
        lambda answer: Answer(200, {}, answer.body[:-2000], announced_bytes=len(answer.body)),
        lambda answer: Answer(200, answer.headers, _flipped(answer.body)),
        lambda answer: Answer(200, {}, b""),
        lambda answer: Answer(200, {}, b"<html>please log in</html>"),
    ],
    ids=["reset", "500", "404", "cut", "broken off", "damaged", "empty", "a page"],
)
def test_a_download_that_is_not_the_video_is_fetched_again(
    remote: Remote, fault: Callable[..., Any]
) -> None:
    request, engine = remote.request(), remote.engine()
    remote.spoil("GET", CONTENT, fault, times=2)
    check(remote, request, engine.render(request))
    assert not remote.proxy.faults


def _flipped(body: bytes) -> bytes:
    """One bit, in the middle of a frame."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def test_a_video_of_another_shape_is_never_taken(remote: Remote) -> None:
    other = remote.server.create("another", num_frames=13, lossless=True)
    remote.server.until(other["id"], "completed")
    path = f"/v1/videos/{other['id']}/content?variant=lossless"
    film = remote.server.http.get(path).content
    request, engine = remote.request(), remote.engine()
    remote.spoil("GET", CONTENT, lambda answer: Answer(200, {}, film), times=99)
    with pytest.raises(RenderError, match=r"is not the video that was asked for.*more than 9"):
        engine.render(request)


def test_a_server_that_says_completed_too_early_is_asked_again(remote: Remote) -> None:
    request, engine = remote.request(), remote.engine()
    remote.server.gate.held.add(request.prompt)
    job = ""

    def lie(answer: Answer) -> Answer:
        nonlocal job
        job = answer.body.decode().partition('"id":"')[2].partition('"')[0]
        remote.spoil(
            "GET", f"{JOBS}/{job}", lambda told: told.claiming(status="completed", progress=100)
        )
        return answer

    def unlock(answer: Answer) -> Answer:
        remote.server.gate.opened.set()
        return answer

    remote.spoil("POST", JOBS, lie)
    remote.spoil("GET", CONTENT, unlock)
    check(remote, request, engine.render(request))


@pytest.mark.parametrize("progress", [-5, 250, "many", None])
def test_progress_that_is_none_is_passed_over(remote: Remote, progress: object) -> None:
    request, engine, told = remote.request(), remote.engine(), list[int]()

    def lie(answer: Answer) -> Answer:
        job = answer.body.decode().partition('"id":"')[2].partition('"')[0]
        remote.spoil(
            "GET",
            f"{JOBS}/{job}",
            lambda got: got.claiming(status="in_progress", progress=progress),
            times=3,
        )
        return answer

    remote.spoil("POST", JOBS, lie)
    check(remote, request, engine.render(request, lambda step, _steps: told.append(step)))
    assert set(told) <= {0, 1, 2, 3, 4}


@pytest.mark.parametrize("claim", ["cancelled", "expired"])
def test_a_job_that_ended_otherwise_is_a_failed_render(remote: Remote, claim: str) -> None:
    request, engine = remote.request(), remote.engine()

    def lie(answer: Answer) -> Answer:
        job = answer.body.decode().partition('"id":"')[2].partition('"')[0]
        remote.spoil("GET", f"{JOBS}/{job}", lambda got: got.claiming(status=claim))
        return answer

    remote.spoil("POST", JOBS, lie)
    with pytest.raises(RenderError, match=f"could not render it: {claim}"):
        engine.render(request)


def test_a_job_that_the_server_has_lost_is_a_failed_render(remote: Remote) -> None:
    request, engine = remote.request(), remote.engine()

    def lose(answer: Answer) -> Answer:
        job = answer.body.decode().partition('"id":"')[2].partition('"')[0]
        remote.server.http.delete(f"{JOBS}/{job}")
        return answer

    remote.spoil("POST", JOBS, lose)
    with pytest.raises(RenderError, match=r"does not know video_.* any more"):
        engine.render(request)


def test_an_outage_that_lasts_is_told(remote: Remote) -> None:
    request, engine = remote.request(), remote.engine(outage_seconds=0.3)
    remote.spoil("POST", JOBS, status(503), times=999, before=True)
    with pytest.raises(RenderError, match="could not be used: status 503: so says the proxy"):
        engine.render(request)


def test_a_busy_server_is_waited_for_longer_than_an_ill_one(remote: Remote) -> None:
    request, engine = remote.request(), remote.engine(outage_seconds=0.1)
    remote.spoil("POST", JOBS, status(429, Retry_After="1"), times=1, before=True)
    check(remote, request, engine.render(request))


def test_a_download_without_end_is_cut_short(remote: Remote) -> None:
    request, engine = remote.request(), remote.engine(most_bytes=100)
    with pytest.raises(RenderError, match="larger than 100 bytes"):
        engine.render(request)
