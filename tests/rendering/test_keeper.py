"""When a take's state is kept, and what is noted of it."""

from dataclasses import dataclass, field

import pytest

from tests.rendering.stage import SteppedClock
from wan_pipelines.errors import StorageError
from wan_pipelines.rendering.keeper import TakeKeeper
from wan_pipelines.rendering.takes import NO_CHECKPOINTS, CheckpointUse


@dataclass
class Shelf:
    """Checkpoints in memory, on a disk that may be full."""

    kept: dict[str, bytes] = field(default_factory=dict)
    full: bool = False

    def load(self, render_key: str, limit_bytes: int) -> bytes | None:
        self._check()
        return self.kept.get(render_key)

    def save(self, render_key: str, data: bytes) -> None:
        self._check()
        self.kept[render_key] = data

    def remove(self, render_key: str) -> None:
        self._check()
        self.kept.pop(render_key, None)

    def _check(self) -> None:
        if self.full:
            raise StorageError("The disk is full.")


@dataclass
class Desk:
    """A keeper, what it stands on, and a render that does steps."""

    shelf: Shelf = field(default_factory=Shelf)
    time: SteppedClock = field(default_factory=SteppedClock)
    packed: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keeper = TakeKeeper(
            checkpoints=self.shelf, render_key="key", every_seconds=60, clock=self.time.clock
        )

    def step(self, number: int, seconds: float) -> None:
        self.time.advance(seconds)
        self.keeper.step_done(number, lambda: self._pack(number))

    def _pack(self, number: int) -> bytes:
        self.packed.append(number)
        return f"after {number}".encode()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_state_is_kept_by_the_clock_and_not_by_the_step(desk: Desk) -> None:
    for number in range(1, 13):
        desk.step(number, 13.0)
    assert desk.packed == [5, 10]
    assert desk.shelf.kept == {"key": b"after 10"}
    assert desk.keeper.use == CheckpointUse(saved_steps=10)


def test_steps_that_take_longer_are_each_kept(desk: Desk) -> None:
    for number in range(1, 4):
        desk.step(number, 100.0)
    assert desk.packed == [1, 2, 3]


def test_an_attempt_that_is_cut_short_is_kept_at_once_and_once(desk: Desk) -> None:
    desk.keeper.keep_now()
    assert desk.shelf.kept == {}, "no step is done"
    desk.step(1, 1.0)
    assert desk.packed == []
    desk.keeper.keep_now()
    desk.keeper.keep_now()
    assert desk.packed == [1]
    assert desk.keeper.use.saved_steps == 1


def test_what_was_kept_just_now_is_not_kept_again(desk: Desk) -> None:
    desk.step(1, 100.0)
    desk.keeper.keep_now()
    assert desk.packed == [1]


def test_a_full_disk_costs_nothing_but_the_checkpoint(desk: Desk) -> None:
    desk.shelf.full = True
    desk.step(1, 100.0)
    assert desk.keeper.use == CheckpointUse(unsaved="The disk is full.")
    desk.step(2, 1.0)
    assert desk.packed == [1], "it is not tried again with every step"
    desk.shelf.full = False
    desk.step(3, 100.0)
    assert desk.keeper.use == CheckpointUse(saved_steps=3)


def test_a_checkpoint_that_cannot_be_read_is_none(desk: Desk) -> None:
    desk.shelf.full = True
    assert desk.keeper.found(100) is None
    assert desk.keeper.use == CheckpointUse(refused="The disk is full.")


def test_what_went_on_somewhere_is_told(desk: Desk) -> None:
    assert desk.keeper.use == NO_CHECKPOINTS
    desk.keeper.resumed(7)
    assert desk.keeper.use == CheckpointUse(resumed_steps=7, saved_steps=7)
    desk.keeper.forget()
    assert desk.keeper.use == CheckpointUse(resumed_steps=7)


def test_forgetting_what_cannot_be_removed_is_no_error(desk: Desk) -> None:
    desk.step(1, 100.0)
    desk.shelf.full = True
    desk.keeper.forget()
    assert desk.shelf.kept == {"key": b"after 1"}
