"""A book in memory, with leases that really expire and faults that can be put anywhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from uuid import uuid4

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.errors import LeaseLost
from wan_pipelines.rendering.ports import Busy, Declined, Done, Lease
from wan_pipelines.rendering.takes import Span, Take


@dataclass
class Shelf:
    """Accepted takes and running leases, by render key; shared by workers."""

    accepted: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    def lease(self, key: str, seconds: float) -> Lease | Done | Busy:
        with self.lock:
            if key in self.accepted:
                return Done(self.accepted[key])
            present = self.leases.get(key)
            if present and present.expires_at > datetime.now(UTC):
                return Busy(present.expires_at)
            self.leases[key] = Lease(key, uuid4().hex, self._until(seconds))
            return self.leases[key]

    def check(self, lease: Lease, seconds: float) -> None:
        with self.lock:
            self._require(lease)
            self.leases[lease.render_key] = Lease(
                lease.render_key, lease.take_id, self._until(seconds)
            )

    def accept(self, lease: Lease, files: tuple[str, ...]) -> None:
        with self.lock:
            self._require(lease)
            del self.leases[lease.render_key]
            self.accepted[lease.render_key] = lease.take_id
            self.files[lease.render_key] = files

    def free(self, lease: Lease) -> None:
        with self.lock:
            if self._holder(lease) == lease.take_id:
                del self.leases[lease.render_key]

    def steal(self, key: str, seconds: float = 60.0) -> Lease:
        """Another worker takes the shot over, whatever the lease says."""
        with self.lock:
            self.leases[key] = Lease(key, uuid4().hex, self._until(seconds))
            return self.leases[key]

    def _require(self, lease: Lease) -> None:
        if self._holder(lease) != lease.take_id:
            raise LeaseLost(f"The lease of take {lease.take_id} has passed on.")

    def _holder(self, lease: Lease) -> str | None:
        present = self.leases.get(lease.render_key)
        return present.take_id if present else None

    def _until(self, seconds: float) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds)


@dataclass
class MemoryBook:
    """What the ledger does for a worker; several books may share one `shelf`."""

    lease_seconds: float = 60.0
    shelf: Shelf = field(default_factory=Shelf)
    ended: list[Take] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    beats: int = 0
    declined: dict[str, str] = field(default_factory=dict)
    """Why a shot is not wanted, by render key."""
    faults: dict[str, Callable[[str], None]] = field(default_factory=dict)
    """By method name: called with the render key (or take id), may raise."""

    def lease(self, shot: Shot) -> Lease | Done | Busy | Declined:
        self._fault("lease", shot.render_key)
        if shot.render_key in self.declined:
            return Declined(self.declined[shot.render_key])
        return self.shelf.lease(shot.render_key, self.lease_seconds)

    def renew(self, lease: Lease) -> None:
        self._fault("renew", lease.render_key)
        self.renewed.append(lease.render_key)
        self.shelf.check(lease, self.lease_seconds)

    def release(self, lease: Lease) -> None:
        self._fault("release", lease.render_key)
        self.released.append(lease.render_key)
        self.shelf.free(lease)

    def accept(self, lease: Lease, take: Take, files: tuple[str, ...]) -> None:
        self._fault("accept", lease.render_key)
        self.shelf.accept(lease, files)
        self.ended.append(take)

    def fail(self, lease: Lease, take: Take) -> None:
        self._fault("fail", lease.render_key)
        self.shelf.free(lease)
        self.ended.append(take)

    def spent(self, span: Span) -> None:
        self._fault("spent", span.kind)
        self.spans.append(span)

    def beat(self) -> None:
        self._fault("beat", "")
        self.beats += 1

    def _fault(self, method: str, about: str) -> None:
        if method in self.faults:
            self.faults[method](about)
