"""The warm loop, when all goes well."""

from threading import Barrier, Event, Thread

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rendering.memory_book import MemoryBook
from tests.rendering.stage import (
    RELEASE,
    RUN,
    STEPS,
    Stage,
    SteppedClock,
    assert_tiled,
    outcomes,
    raises,
    shots,
)
from tests.support.releases import shot_for
from wan_pipelines.errors import EncodeError
from wan_pipelines.rendering.reports import ShardReport

PATIENCE_SECONDS = 10


def test_every_shot_becomes_one_accepted_take() -> None:
    stage = Stage()
    wanted = shots("a", "b", "c")
    report = stage.render(wanted)
    assert stage.engine.rendered == stage.encoded == ["a", "b", "c"]
    assert stage.loads == 1
    assert [take.outcome for take in report.takes] == ["accepted"] * 3
    assert stage.book.shelf.accepted == {take.render_key: take.id for take in report.takes}
    assert [take.render_key for take in report.takes] == [shot.render_key for shot in wanted]
    assert not stage.book.shelf.leases
    assert (report.failed, report.busy, report.unfinished, report.stopped) == ((), (), (), False)


def test_a_take_says_how_it_came_about() -> None:
    stage = Stage()
    (take,) = stage.render(shots("a")).takes
    assert (take.seed, take.steps, take.engine, take.release) == (7, STEPS, "null", "sample")
    assert take.fingerprint == stage.engine.fingerprint.digest
    assert take.run == RUN
    assert take.stages is not None
    assert take.started_at <= take.ended_at
    assert take.started_at.tzinfo is not None
    assert (take.error_type, take.error_message, take.error_stage) == ("", "", "")


def test_what_is_accepted_already_is_not_rendered_and_loads_nothing() -> None:
    stage = Stage()
    wanted = shots("a", "b")
    stage.render(wanted)
    again = Stage(book=MemoryBook(shelf=stage.book.shelf))
    report = again.render(wanted)
    assert report.reused == ("a", "b")
    assert report.takes == ()
    assert again.loads == 0


def test_identical_shots_in_a_shard_are_rendered_once() -> None:
    stage = Stage(hooks={"bad": raises(ValueError("no"))})
    twins = [shot_for(RELEASE, "a", name="one"), shot_for(RELEASE, "a", name="two")]
    bad = [shot_for(RELEASE, "bad", name="three"), shot_for(RELEASE, "bad", name="four")]
    report = stage.render([*twins, *bad])
    assert stage.engine.rendered == ["a", "bad"]
    assert report.failed == ("three", "four")
    reused = stage.render(twins)
    assert reused.reused == ("one", "two")


def test_spans_tell_the_stages_apart_to_the_nanosecond() -> None:
    time = SteppedClock()
    text, step, decode = {0: 1.0}, {1: 2.0, 2: 2.0, 3: 2.0, 4: 2.0}, {-1: 3.0}
    costs = text | step | decode
    stage = Stage(hooks={"a": lambda step: time.advance(costs[step])})
    stage.load = lambda: time.advance(5.0)
    begun_ns = time.ns
    report = stage.render(shots("a"), clock=time.clock, paid_since_ns=begun_ns - 4_000_000_000)
    (take,) = report.takes
    assert [(span.kind, span.take_id, span.nanoseconds / 1e9) for span in stage.book.spans] == [
        ("load", None, 4.0),
        ("load", None, 5.0),
        ("text", take.id, 1.0),
        ("denoise", take.id, 8.0),
        ("decode", take.id, 3.0),
    ]
    assert_tiled(stage.book.spans)
    assert sum(report.nanoseconds.values()) == time.ns - begun_ns + 4_000_000_000
    assert report.seconds == {
        "load": 9.0, "text": 1.0, "denoise": 8.0, "decode": 3.0, "wait": 0.0, "idle": 0.0,
    }  # fmt: skip


def test_a_long_denoising_is_reported_in_pieces() -> None:
    time = SteppedClock()
    stage = Stage(hooks={"a": lambda step: time.advance(10.0)})
    stage.render(shots("a"), clock=time.clock, span_seconds=15.0)
    denoise = [span.nanoseconds / 1e9 for span in stage.book.spans if span.kind == "denoise"]
    assert denoise == [20.0, 20.0]
    assert_tiled(stage.book.spans)


def test_encoding_overlaps_with_the_next_render() -> None:
    second_renders = Event()
    stage = Stage()
    stage.hooks["b"] = lambda step: second_renders.set()
    stage.tails["a"] = lambda: _assert_soon(second_renders)
    report = stage.render(shots("a", "b"))
    assert len(report.takes) == 2


def test_rendering_waits_when_too_much_footage_is_pending() -> None:
    order: list[str] = []
    fourth_begun = Event()
    stage = Stage()

    def encode_slowly() -> None:
        assert not fourth_begun.wait(0.1), "two takes were pending and one was rendered already"
        order.append("a is encoded")

    def begin_fourth(step: int) -> None:
        if step == 0:
            order.append("d begins")
            fourth_begun.set()

    stage.tails["a"] = encode_slowly
    stage.hooks["d"] = begin_fourth
    report = stage.render(shots("a", "b", "c", "d"), tail_depth=2)
    assert order == ["a is encoded", "d begins"]
    assert stage.encoded == ["a", "b", "c", "d"]
    assert report.seconds["wait"] > 0


def test_rendering_waits_when_the_footage_that_is_pending_takes_too_much_memory() -> None:
    third_begun, order = Event(), list[str]()
    stage = Stage()

    def encode_slowly() -> None:
        assert not third_begun.wait(0.1), "footage of two takes was held, and a third rendered"
        order.append("a is encoded")

    def begin_third(step: int) -> None:
        if step == 0:
            order.append("c begins")
            third_begun.set()

    stage.tails["a"] = encode_slowly
    stage.hooks["c"] = begin_third
    stage.render(shots("a", "b", "c"), tail_depth=9, tail_bytes=1)
    assert order == ["a is encoded", "c begins"]
    assert stage.encoded == ["a", "b", "c"]


def test_progress_is_told_at_each_step_and_ends_with_the_render() -> None:
    stage = Stage()
    stage.render(shots("a", "b"))
    told = [progress and (progress.shot, progress.step) for progress in stage.progress]
    assert told[0] == ("a", 0)
    assert told[-2:] == [("b", 4), None]
    assert told.count(None) == 2


def test_workers_on_the_same_shots_share_the_work() -> None:
    wanted = shots(*(f"shot {number}" for number in range(12)))
    shelf = MemoryBook().shelf
    stages = [Stage(book=MemoryBook(shelf=shelf)) for _ in range(3)]
    reports: list[ShardReport] = []
    start = Barrier(3)

    def work(stage: Stage) -> None:
        start.wait()
        reports.append(stage.render(wanted))

    threads = [Thread(target=work, args=(stage,)) for stage in stages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    rendered = [prompt for stage in stages for prompt in stage.engine.rendered]
    assert sorted(rendered) == sorted(shot.name for shot in wanted)
    for report in reports:
        assert len(report.reused) + len(report.takes) == len(wanted)


def test_an_empty_shard_does_nothing() -> None:
    stage = Stage()
    assert stage.render([]).takes == ()
    assert stage.loads == 0


FATES = st.lists(
    st.sampled_from(["fine", "engine fails", "encoder fails", "done", "twin"]), max_size=12
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fates=FATES, depth=st.integers(1, 3))
def test_whatever_happens_each_shot_and_each_nanosecond_is_accounted_for(
    fates: list[str], depth: int
) -> None:
    stage = Stage()
    wanted = [shot_for(RELEASE, "0" if fate == "twin" else str(n), name=f"shot {n}")
              for n, fate in enumerate(fates)]  # fmt: skip
    for shot, fate in zip(wanted, fates, strict=True):
        if fate == "engine fails":
            stage.hooks[shot.request.prompt] = raises(ValueError(shot.name))
        elif fate == "encoder fails":
            stage.tails[shot.request.prompt] = raises(EncodeError(shot.name))
        elif fate == "done":
            stage.book.shelf.accepted.setdefault(shot.render_key, "earlier")
    report = stage.render(wanted, tail_depth=depth, same_failures=99)

    assert_tiled(stage.book.spans)
    paid_ns = stage.book.spans[-1].ended_ns - stage.book.spans[0].started_ns
    assert sum(report.nanoseconds.values()) == paid_ns
    ends = outcomes(report)
    for shot in wanted:
        places = [
            shot.name in report.reused, shot.name in report.failed,
            ends.get(shot.render_key) == "accepted",
        ]  # fmt: skip
        assert places.count(True) == 1, shot.name
    assert sorted(take.id for take in stage.book.ended) == sorted(t.id for t in report.takes)
    assert not stage.book.shelf.leases


def _assert_soon(event: Event) -> None:
    assert event.wait(PATIENCE_SECONDS)
