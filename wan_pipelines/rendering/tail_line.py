"""Encodes and publishes take n in a thread while take n + 1 renders."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Generic, Self

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.protocol import Footage
from wan_pipelines.errors import LeaseLost, LedgerError, StorageError
from wan_pipelines.rendering.heartbeat import Heartbeat
from wan_pipelines.rendering.keeper import forget
from wan_pipelines.rendering.ports import File, Lease, Tail, TakeBook
from wan_pipelines.rendering.reports import WorkerSettings
from wan_pipelines.rendering.room import Room
from wan_pipelines.rendering.streak import FailureStreak
from wan_pipelines.rendering.takes import Take

LOST = "The lease on the shot has passed to another worker."


class TailLine(Generic[File]):
    """At most `tail_depth` takes of `tail_bytes` wait or are worked on; others block the renderer.

    The result goes into the book from the thread, as soon as it is there: a crash of the renderer
    does not take finished work along. What goes wrong goes to the right shot.
    """

    def __init__(
        self,
        book: TakeBook[File],
        tail: Tail[File],
        heartbeat: Heartbeat,
        settings: WorkerSettings,
    ) -> None:
        self._book = book
        self._tail = tail
        self._heartbeat = heartbeat
        self._streak = FailureStreak(settings.same_failures)
        self._checkpoints = settings.checkpoints
        self._room = Room(settings.tail_depth, settings.tail_bytes)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tail")
        self._under_way: set[Future[None]] = set()
        self._ended: list[Take] = []
        self._broken: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Waits for all that was handed over; raises nothing."""
        self._thread.shutdown(wait=True)

    @property
    def is_broken(self) -> bool:
        """Has the book refused a result? Then nothing more can be recorded."""
        return self._broken is not None

    def is_full(self, footage: Footage) -> bool:
        """Would `submit` have to wait?"""
        return not self._room.has_room_for(footage.frames.nbytes)

    def check(self) -> None:
        """Raises what the book raised in the thread, or that take after take fails here."""
        self._check_book()
        self._streak.check()

    def _check_book(self) -> None:
        if self._broken:
            raise self._broken

    def submit(self, shot: Shot, lease: Lease, take: Take, footage: Footage) -> None:
        """Hands a rendered take over; blocks while the line is full, raises what the book did."""
        self._room.enter(footage.frames.nbytes)
        self._check_book()
        future = self._thread.submit(self._work, shot, lease, take, footage)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)

    def drain(self) -> tuple[Take, ...]:
        """Waits for all that was handed over; the takes that ended since the last call."""
        wait(tuple(self._under_way))
        self._check_book()
        ended, self._ended = tuple(self._ended), []
        return ended

    def _work(self, shot: Shot, lease: Lease, take: Take, footage: Footage) -> None:
        try:
            ended = self._settle(shot, lease, take, footage)
            self._ended.append(ended)
            self._streak.note(ended)
        except Exception as error:
            self._broken = error
        finally:
            self._heartbeat.drop(lease)
            self._room.leave(footage.frames.nbytes)

    def _settle(self, shot: Shot, lease: Lease, take: Take, footage: Footage) -> Take:
        if self._heartbeat.has_lost(lease):
            failed = take.with_error(LeaseLost(LOST), stage="encode", outcome="lost")
        else:
            failed = self._publish(shot, lease, take, footage)
        if failed:
            self._book.fail(lease, failed)
        return failed or take

    def _publish(self, shot: Shot, lease: Lease, take: Take, footage: Footage) -> Take | None:
        """The take as it failed, or None."""
        try:
            files = self._tail(shot, take, footage)
        except LedgerError:
            raise
        except Exception as error:
            return take.with_error(error, stage=_stage_of(error))
        return self._accept(lease, take, files)

    def _accept(self, lease: Lease, take: Take, files: tuple[File, ...]) -> Take | None:
        try:
            self._book.accept(lease, take, files)
        except LeaseLost as error:
            return take.with_error(error, stage="publish", outcome="lost")
        if self._checkpoints:
            forget(self._checkpoints, lease.render_key)
        return None


def _stage_of(error: Exception) -> str:
    return "publish" if isinstance(error, StorageError) else "encode"
