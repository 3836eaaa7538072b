"""What the worker needs from its surroundings: a book to write in, and a tail for its footage."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.protocol import Footage
from wan_pipelines.rendering.takes import Span, Take

File = TypeVar("File")
FileIn_contra = TypeVar("FileIn_contra", contravariant=True)
FileOut_co = TypeVar("FileOut_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to render a shot, as take `take_id`, until `expires_at` unless it is renewed."""

    render_key: str
    take_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """An accepted take of the shot exists."""

    take_id: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else renders the shot; their lease ends at `until` unless they renew it."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Declined:
    """The shot is not to be rendered (any more): withdrawn meanwhile, say, or out of quota."""

    reason: str


class TakeBook(Protocol[FileIn_contra]):
    """Where takes and paid time are recorded; the methods are called from several threads.

    All may raise LedgerError, which ends the shard: what cannot be recorded is not rendered.
    """

    def lease(self, shot: Shot) -> Lease | Done | Busy | Declined:
        """Begins a take of the shot if nobody has it and it is still wanted."""
        ...

    def renew(self, lease: Lease) -> None:
        """Prolongs a lease; LeaseLost when it is somebody else's by now.

        QuotaExceeded when it is prolonged, but its shot is to be stopped.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Gives a lease back whose rendering has not begun."""
        ...

    def accept(self, lease: Lease, take: Take, files: tuple[FileIn_contra, ...]) -> None:
        """Makes it the shot's accepted take, in one transaction; raises LeaseLost."""
        ...

    def fail(self, lease: Lease, take: Take) -> None:
        """Records a take that failed, was cancelled, or was lost, and frees the lease.

        A lost take's lease is somebody else's: only the take is recorded, nothing is raised.
        """
        ...

    def spent(self, span: Span) -> None:
        """Records a span of paid time; called as soon as the span has ended, in order."""
        ...

    def beat(self) -> None:
        """The worker is alive; called every few seconds, with or without a lease."""
        ...


class Checkpoints(Protocol):
    """Where half-rendered shots are kept, by render key; all methods may raise StorageError."""

    def load(self, render_key: str, limit_bytes: int) -> bytes | None:
        """What was saved last, if anything; StorageError when it is larger than that."""
        ...

    def save(self, render_key: str, data: bytes) -> None:
        """Replaces what was saved before; nobody ever sees a part of it."""
        ...

    def remove(self, render_key: str) -> None:
        """It is fine if there is none."""
        ...


class Tail(Protocol[FileOut_co]):
    """What happens to footage while the next shot renders: encode, probe, publish."""

    def __call__(self, shot: Shot, take: Take, footage: Footage, /) -> tuple[FileOut_co, ...]: ...
