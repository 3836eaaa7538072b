"""Spans tile a worker's life, whatever it does and whatever it is told to report."""

from hypothesis import given
from hypothesis import strategies as st

from tests.rendering.stage import SteppedClock, assert_tiled
from wan_pipelines.rendering.spans import SpanRecorder
from wan_pipelines.rendering.takes import SPAN_KINDS, Span

ACTIVITIES = st.lists(
    st.tuples(
        st.sampled_from(SPAN_KINDS),
        st.sampled_from([None, "take 1", "take 2"]),
        st.integers(0, 10**12),
        st.booleans(),
    )
)


@given(activities=ACTIVITIES, before_ns=st.none() | st.integers(0, 10**10))
def test_every_nanosecond_is_reported_once(
    activities: list[tuple[str, str | None, int, bool]], before_ns: int | None
) -> None:
    time = SteppedClock()
    begun_ns = time.ns - (before_ns or 0)
    told: list[Span] = []
    since = None if before_ns is None else begun_ns
    spans = SpanRecorder(time.clock, told.append, paid_since_ns=since)
    for kind, take, nanoseconds, flush in activities:
        spans.switch(kind, take)  # pyright: ignore[reportArgumentType]
        time.ns += nanoseconds
        if flush:
            spans.close_if_older_than(10.0)
    spans.close()
    assert_tiled(told)
    assert sum(span.nanoseconds for span in told) == time.ns - begun_ns
    for kind in SPAN_KINDS:
        of_kind = sum(span.nanoseconds for span in told if span.kind == kind)
        assert spans.nanoseconds[kind] == of_kind
        expected = sum(ns for other, _, ns, _ in activities if other == kind)
        assert of_kind == expected + (kind == "load") * (time.ns - begun_ns - _sum(activities))


def _sum(activities: list[tuple[str, str | None, int, bool]]) -> int:
    return sum(nanoseconds for _, _, nanoseconds, _ in activities)


def test_going_on_with_the_same_is_one_span() -> None:
    time = SteppedClock()
    told: list[Span] = []
    spans = SpanRecorder(time.clock, told.append)
    for _ in range(3):
        spans.switch("denoise", "take")
        time.advance(1.0)
    spans.switch("decode", "take")
    assert [(span.kind, span.nanoseconds) for span in told] == [("denoise", 3 * 10**9)]
    assert spans.kind == "decode"


def test_a_report_that_fails_does_not_tear_a_hole() -> None:
    time = SteppedClock()
    told: list[Span] = []

    def report(span: Span) -> None:
        told.append(span)
        if span.kind == "load":
            raise OSError("the book is gone")

    spans = SpanRecorder(time.clock, report, paid_since_ns=time.ns)
    time.advance(1.0)
    try:
        spans.switch("wait")
    except OSError:
        time.advance(1.0)
        spans.close()
    assert_tiled(told)
    assert len(told) == 2
