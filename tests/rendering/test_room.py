from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.rendering.room import Room

PATIENCE_SECONDS = 60


@given(
    st.lists(st.integers(1, 100), max_size=30), st.integers(1, 4), st.none() | st.integers(1, 250)
)
def test_there_is_never_more_inside_than_there_is_room_for(
    sizes: list[int], takes: int, limit: int | None
) -> None:
    room, inside = Room(takes, limit), list[int]()
    for size in sizes:
        while not room.has_room_for(size):
            room.leave(inside.pop(0))
        room.enter(size)
        inside.append(size)
        assert len(inside) <= takes
        assert len(inside) == 1 or limit is None or sum(inside) <= limit


def test_who_finds_no_room_waits_until_there_is() -> None:
    room = Room(5, 100)
    room.enter(60)
    order: list[str] = []

    def enter() -> None:
        room.enter(50)
        order.append("entered")

    late = Thread(target=enter, daemon=True)
    late.start()
    late.join(0.05)
    order.append("left")
    room.leave(60)
    late.join(PATIENCE_SECONDS)
    assert order == ["left", "entered"]
