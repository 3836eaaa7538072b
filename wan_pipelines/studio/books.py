"""The ledger as a rendering worker sees it: a book of takes and paid time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic_ns
from typing import Self

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.encoding.renditions import RenditionFile
from wan_pipelines.engines.ladder.footings import Footing
from wan_pipelines.errors import LeaseLost, LedgerError, NotAdmitted, QuotaExceeded
from wan_pipelines.ledger import leases, takes, workers
from wan_pipelines.ledger.charges import Spent
from wan_pipelines.ledger.descents import Descent
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import micros_in
from wan_pipelines.ledger.records import StageMicroseconds, TakeReport
from wan_pipelines.rendering.clock import Instant
from wan_pipelines.rendering.ports import Busy, Declined, Done, Lease
from wan_pipelines.rendering.progress import Progress
from wan_pipelines.rendering.takes import RunReference, Span, Take
from wan_pipelines.studio.leftovers import discard
from wan_pipelines.studio.studio import Studio


class LedgerBook:
    """A `TakeBook` for one worker of one edition; used by several threads."""

    def __init__(self, studio: Studio, edition: EditionKey, worker_id: str, since: Instant) -> None:
        self.paid_since_ns = since.monotonic_ns
        self._paid_since = since.at
        self._ledger = studio.ledger
        self._store = studio.store
        self._lease_seconds = studio.settings.workers.lease_seconds
        self._edition = edition
        self._worker_id = worker_id
        self._unreported: list[Spent] = []
        self._position: workers.Position | None = None
        self._guard = Lock()

    @classmethod
    @contextmanager
    def opened(
        cls, studio: Studio, edition: EditionKey, run: RunReference, since: Instant
    ) -> Iterator[Self]:
        """A book whose worker is paid from `since` until the block ends."""
        now = datetime.now(UTC)
        rendering = studio.settings.rendering_class
        place = workers.WorkerPlace(
            run.run_id,
            run.step_key,
            studio.settings.gpu_class,
            rendering.gpu_count,
            rendering.market,
        )
        worker = workers.open_worker(studio.ledger, edition, place, now=now, started_at=since.at)
        book = cls(studio, edition, worker, since)
        try:
            yield book
        finally:
            book.close()

    def close(self) -> None:
        """Stop paying the worker and charge its time, as a clock tells it that nobody can set."""
        tenant = self._edition.tenant
        lived = timedelta(microseconds=(monotonic_ns() - self.paid_since_ns) // 1000)
        with self._reported() as spans:
            workers.close_worker(
                self._ledger,
                tenant,
                self._worker_id,
                spans,
                now=datetime.now(UTC),
                paid_until=self._paid_since + lived,
            )

    def lease(self, shot: Shot) -> Lease | Done | Busy | Declined:
        try:
            answer = leases.lease_shot(
                self._ledger,
                self._edition,
                shot.render_key,
                self._worker_id,
                lease_seconds=self._lease_seconds,
                now=datetime.now(UTC),
            )
        except (NotAdmitted, QuotaExceeded) as error:
            return Declined(str(error))
        match answer:
            case leases.Done(take_id):
                return Done(take_id)
            case leases.Busy(until):
                return Busy(until)
            case leases.Lease():
                return Lease(answer.render_key, answer.take_id, answer.expires_at)

    def renew(self, lease: Lease) -> None:
        leases.renew_lease(
            self._ledger,
            self._ours(lease),
            lease_seconds=self._lease_seconds,
            now=datetime.now(UTC),
        )
        why = leases.stopped_by_budget(self._ledger, self._edition, now=datetime.now(UTC))
        if why:
            raise QuotaExceeded(why)

    def release(self, lease: Lease) -> None:
        leases.release_lease(self._ledger, self._ours(lease), now=datetime.now(UTC))

    def accept(self, lease: Lease, take: Take, files: tuple[RenditionFile, ...]) -> None:
        try:
            takes.accept_take(
                self._ledger,
                self._ours(lease),
                report_of(take),
                files,
                now=datetime.now(UTC),
            )
        except LeaseLost:
            discard(self._store, self._edition.tenant, lease.render_key, lease.take_id)
            raise

    def fail(self, lease: Lease, take: Take) -> None:
        now = datetime.now(UTC)
        match take.outcome:
            case "failed":
                takes.fail_take(self._ledger, self._ours(lease), report_of(take), now=now)
            case "cancelled":
                leases.release_lease(self._ledger, self._ours(lease), now=now)
            case _:
                """The ledger knows a lost take as abandoned since it was taken over."""

    def spent(self, span: Span) -> None:
        with self._guard:
            self._unreported.append(Spent(span.kind, span.nanoseconds // 1000, span.take_id))

    def stand(self, progress: Progress | None) -> None:
        """Where the worker is, which the next sign of life will tell; None: between two renders."""
        self._position = progress and workers.Position(
            progress.take_id, progress.step, progress.steps, datetime.now(UTC)
        )

    def beat(self) -> None:
        tenant, now = self._edition.tenant, datetime.now(UTC)
        with self._reported() as spans:
            workers.heartbeat(
                self._ledger, tenant, self._worker_id, spans, now=now, position=self._position
            )

    @contextmanager
    def _reported(self) -> Iterator[list[Spent]]:
        """What was spent since the last report; it stays to be reported if that fails."""
        with self._guard:
            spans, self._unreported = self._unreported, []
        try:
            yield spans
        except LedgerError:
            with self._guard:
                self._unreported = [*spans, *self._unreported]
            raise

    def _ours(self, lease: Lease) -> leases.Lease:
        return leases.Lease(
            self._edition.tenant,
            lease.render_key,
            lease.take_id,
            self._worker_id,
            lease.expires_at,
        )


def descent_of(footing: Footing | None) -> Descent | None:
    """What a take says in the ledger of the rungs it was drawn on."""
    if footing is None or not footing.rungs:
        return None
    return Descent(footing.rungs, footing.request.key, footing.request.release, footing.tier)


def report_of(take: Take) -> TakeReport:
    """A take in the ledger's words."""
    stages = take.stages and StageMicroseconds(
        text=micros_in(take.stages.text),
        denoise_high=micros_in(take.stages.denoise_high),
        denoise_low=micros_in(take.stages.denoise_low),
        decode=micros_in(take.stages.decode),
    )
    return TakeReport(
        seed=take.seed,
        steps=take.steps,
        stages=stages,
        peak_memory_bytes=take.peak_memory_bytes,
        engine=take.engine,
        release=take.release,
        fingerprint=take.fingerprint,
        error_type=take.error_type or None,
        error_message=take.error_message or None,
        error_stage=take.error_stage or None,
        descent=descent_of(take.footing),
    )
