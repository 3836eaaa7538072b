"""Scenes that hypothesis makes up."""

from hypothesis import strategies as st

from wan_pipelines.scheduling.records import (
    PRIORITY_CLASSES,
    Lane,
    Running,
    Scene,
    Slots,
    Standing,
    Usage,
    Waiting,
)

TENANTS = ("ann", "bob", "cid", "dee")
NOW = 1_000_000.0
AT_WORK = ("h100", "h100-spot", "l40s")

moments = st.integers(0, 20_000).map(lambda ago: NOW - ago)
seconds = st.integers(1, 7_200).map(float)
standings = st.builds(
    Standing,
    priority_class=st.sampled_from(PRIORITY_CLASSES),
    weight=st.integers(1, 8),
    concurrent_shards=st.none() | st.integers(1, 3),
)
usages = st.builds(Usage, gpu_seconds=st.integers(0, 100_000).map(float), ended=moments)
tenants: st.SearchStrategy[str] = st.sampled_from(TENANTS)

lanes: st.SearchStrategy[Lane] = st.tuples(tenants, st.integers(-2, 2), st.sampled_from(AT_WORK))


@st.composite
def waiting_shards(draw: st.DrawFn) -> list[Waiting]:
    """Up to a dozen, each of its own id."""
    return [
        Waiting(
            id=f"w{number}",
            tenant=draw(tenants),
            batch=draw(st.sampled_from(("one", "two"))),
            gpu_seconds=draw(seconds),
            since=draw(moments),
            gpu_classes=draw(
                st.sampled_from((("h100",), ("h100", "h100-spot"), ("l40s",), ("h100-spot",)))
            ),
            priority=draw(st.integers(-2, 2)),
            can_wait=draw(st.booleans()),
            due=draw(st.none() | st.integers(-5_000, 20_000).map(lambda ahead: NOW + ahead)),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


@st.composite
def running_shards(draw: st.DrawFn) -> list[Running]:
    return [
        Running(
            f"r{number}",
            draw(tenants),
            draw(st.sampled_from(AT_WORK)),
            draw(seconds),
            draw(moments),
        )
        for number in range(draw(st.integers(0, 4)))
    ]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    return Scene(
        now=NOW,
        waiting=draw(waiting_shards()),
        running=draw(running_shards()),
        slots={
            "h100": Slots(draw(st.integers(0, 4))),
            "h100-spot": Slots(draw(st.integers(0, 3)), "spot"),
            "l40s": Slots(draw(st.integers(0, 2))),
        },
        usage=draw(st.dictionaries(tenants, usages)),
        standings=draw(st.dictionaries(tenants, standings)),
        begun=draw(st.dictionaries(lanes, moments)),
    )
