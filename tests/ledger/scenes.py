"""A small world for ledger tests: tenants, a price, shots, and a worker that renders them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from wan_pipelines.encoding.renditions import Codec, RenditionFile
from wan_pipelines.ledger.amounts import Amount
from wan_pipelines.ledger.artifacts import ArtifactRecord
from wan_pipelines.ledger.charges import Spent
from wan_pipelines.ledger.corrections import Rerating, Selection
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.descents import Descent
from wan_pipelines.ledger.editions import Admission, Candidate, admit
from wan_pipelines.ledger.fleets import Fleet
from wan_pipelines.ledger.footholds import Bucket
from wan_pipelines.ledger.invoices.lines import Cost, Invoice, InvoiceLine
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.leases import Lease, lease_shot
from wan_pipelines.ledger.limits import LimitChange
from wan_pipelines.ledger.prices import Price, publish_prices
from wan_pipelines.ledger.records import StageMicroseconds, TakeReport
from wan_pipelines.ledger.takes import accept_take
from wan_pipelines.ledger.tenants import Plan, Tenant, configure
from wan_pipelines.ledger.workers import WorkerPlace, close_worker, heartbeat, open_worker

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PRICE = 3_600_000  # micro-dollars per GPU hour: 1 micro-dollar per millisecond
PLACE = WorkerPlace("run-1", "takes[0]", "laptop-cpu")
REPORT = TakeReport(
    seed=7,
    steps=4,
    stages=StageMicroseconds(text=100, denoise_high=200, denoise_low=300, decode=400),
    peak_memory_bytes=1 << 20,
    engine="reference",
    release="wan-tiny",
    fingerprint="f" * 64,
)
ERROR = replace(
    REPORT,
    stages=None,
    error_type="RenderError",
    error_message="frames are not finite",
    error_stage="decode",
)
DRAWN_IN_TILES = replace(
    REPORT, descent=Descent(("tiles",), "0" * 64, release="wan-tiny", tier="draft")
)
PLANS = (Plan("free", 5), Plan("vip", 1000), Plan("internal", None))
TENANTS = (
    Tenant("acme", "internal", "Europe/Berlin", ("ada",)),
    Tenant("bolt", "free", "America/New_York", ("bob",)),
)
DEMO = EditionKey("acme", "ada", "demo", "first")
ARTIFACT = ArtifactRecord(
    key_digest="ab" * 32,
    release="sample",
    sha256="cd" * 32,
    size_bytes=1_780_000,
    place="artifacts/ab/cd.pt2",
    built_by="run 7, engine",
    fits=(("torch", "2.13.0"), ("gpu", "")),
    provenance={"compiler": "g++ 12", "wall_seconds": 71.4},
    signed_at=datetime(2026, 5, 1, 12, tzinfo=UTC),
)
CHANGE = LimitChange(
    tenant="acme",
    user=None,
    scope="user_day",
    measure="shots",
    kind="set",
    amount=9,
    starts_at=START,
    expires_at=None,
    reason="launch week",
    decided_by="root",
    decided_at=START,
)
CORRECTION = Rerating(Selection(tenant="acme"), 500 * PRICE, "mira", "the list was wrong")
FLEET = Fleet("base", "laptop-cpu", 2, START, micro_usd_per_gpu_hour=PRICE)
INVOICE = Invoice(
    "march.csv",
    "ef" * 32,
    "focus",
    (
        InvoiceLine(
            "ab" * 32, 2, START, START + timedelta(hours=1), "Usage", Cost(PRICE), Cost(PRICE)
        ),
    ),
)
BUCKET = Bucket("wan-tiny", "ab" * 32, 96, 64, 9, "{}", "laptop-cpu", 1, exact=False)


def digest(words: str) -> str:
    return sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


def shot(name: str, prompt: str | None = None, **changes: Any) -> Candidate:
    """A candidate; the same prompt is the same shot."""
    prompt = prompt or f"a {name} ball moves to the left"
    request = {
        "release": "wan-tiny",
        "release_identity": digest("wan-tiny"),
        "prompt": prompt,
        "negative_prompt": "",
        "seed": 7,
        "width": 96,
        "height": 64,
        "frames": 9,
        "sampling": {"steps": 4, "guidance": 1.0},
    }
    candidate = Candidate(
        name, digest(prompt), request, "draft", 8, ("h264",), amount=Amount(1, 900, 2)
    )
    return replace(candidate, **changes)


def shots(*names: str) -> list[Candidate]:
    return [shot(name) for name in names]


FILES: tuple[tuple[str, Codec, int, int], ...] = (
    ("h264", "h264", 96, 9),
    ("poster", "webp", 96, 1),
    ("preview", "webp", 48, 5),
)


def files(take_id: str, tenant: str = "acme") -> tuple[RenditionFile, ...]:
    return tuple(
        RenditionFile(
            name=name,
            key=f"tenants/{tenant}/videos/{take_id}/{name}",
            uri=f"file:///store/tenants/{tenant}/videos/{take_id}/{name}",
            sha256=digest(take_id + name),
            size_bytes=1000,
            codec=codec,
            width=width,
            height=64,
            fps=8.0 if frames > 1 else 0.0,
            frames=frames,
            duration_seconds=frames / 8 if frames > 1 else 0.0,
            signature=f"1:{name}",
        )
        for name, codec, width, frames in FILES
    )


@dataclass
class Scene:
    """A ledger with tenants and a price, and a clock that only moves when told to."""

    ledger: Ledger
    now: datetime = START
    tenants: Sequence[Tenant] = TENANTS

    def __post_init__(self) -> None:
        configure(self.ledger, PLANS, self.tenants, now=self.now)
        price = Price("laptop-cpu", PRICE, datetime(2000, 1, 1, tzinfo=UTC))
        publish_prices(self.ledger, [price], now=self.now)

    def later(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now

    def admit(
        self, candidates: Sequence[Candidate], edition: EditionKey = DEMO, **options: Any
    ) -> tuple[Admission, ...]:
        return admit(self.ledger, edition, candidates, now=self.now, **options)

    def states(
        self, candidates: Sequence[Candidate], edition: EditionKey = DEMO, **options: Any
    ) -> dict[str, str]:
        return {a.name: a.state for a in self.admit(candidates, edition, **options)}

    def worker(self, edition: EditionKey = DEMO, place: WorkerPlace = PLACE) -> "Hand":
        worker_id = open_worker(self.ledger, edition, place, now=self.now)
        return Hand(self, edition, worker_id)


@dataclass
class Hand:
    """A worker of one edition; every second of it is spent by calling its methods."""

    scene: Scene
    edition: EditionKey
    id: str
    spans: list[Spent] = field(default_factory=list)

    def lease(self, candidate: Candidate, seconds: float = 60) -> Lease:
        lease = self.ask(candidate, seconds)
        assert isinstance(lease, Lease), lease
        return lease

    def ask(self, candidate: Candidate, seconds: float = 60) -> Any:
        return lease_shot(
            self.scene.ledger,
            self.edition,
            candidate.render_key,
            self.id,
            lease_seconds=seconds,
            now=self.scene.now,
        )

    def accept(self, lease: Lease, report: TakeReport = REPORT) -> str:
        outputs = files(lease.take_id, lease.tenant)
        accept_take(self.scene.ledger, lease, report, outputs, now=self.scene.now)
        return lease.take_id

    def spend(self, kind: str, milliseconds: int, lease: Lease | None = None) -> None:
        self.scene.later(milliseconds=milliseconds)
        self.spans.append(Spent(kind, milliseconds * 1000, lease and lease.take_id))

    def render(
        self, candidate: Candidate, milliseconds: int = 1000, report: TakeReport = REPORT
    ) -> str:
        lease = self.lease(candidate)
        self.spend("denoise", milliseconds, lease)
        return self.accept(lease, report)

    def beat(self) -> None:
        heartbeat(
            self.scene.ledger, self.edition.tenant, self.id, self._drain(), now=self.scene.now
        )

    def close(self) -> int:
        return close_worker(
            self.scene.ledger, self.edition.tenant, self.id, self._drain(), now=self.scene.now
        )

    def _drain(self) -> list[Spent]:
        spans, self.spans = self.spans, []
        return spans
