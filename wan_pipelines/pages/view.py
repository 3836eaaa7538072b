"""What the pages show, as frozen records. Money is whole micro-dollars, times are aware and UTC."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from wan_pipelines.pages.charts import Box, shares
from wan_pipelines.pages.states import State


@dataclass(frozen=True, slots=True)
class Link:
    """Something to open elsewhere, such as a run in the Dagster UI."""

    label: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenditionView:
    """One encoded file of a video."""

    name: str
    href: str
    codec: str
    width: int
    height: int
    size_bytes: int
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class StageView:
    """Wall seconds of one stage of a take: text, denoise, decode, ..."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotView:
    """One shot of an edition: what was asked, what became of it, what it cost, where it lies.

    `cost_micro_usd` is None until the worker that rendered it is settled. `reason` and `hint` say
    why a shot was not rendered and what to change; `error_text` and `error_stage` how it failed.
    `degraded` names the rungs it was drawn on where its pixels are not those that were asked for.
    """

    name: str
    prompt: str
    seed: int
    width: int
    height: int
    frames: int
    fps: int
    state: State
    negative_prompt: str = ""
    reason: str = ""
    hint: str = ""
    may_run_at: datetime | None = None
    attempts: int = 0
    error_text: str = ""
    error_stage: str = ""
    gpu_seconds: float = 0.0
    cost_micro_usd: int | None = None
    render_seconds: float = 0.0
    stages: tuple[StageView, ...] = ()
    poster_href: str = ""
    preview_href: str = ""
    renditions: tuple[RenditionView, ...] = ()
    manifest_href: str = ""
    take_id: str = ""
    render_key: str = ""
    parents: tuple[str, ...] = ()
    degraded: str = ""

    @property
    def film(self) -> RenditionView | None:
        """The rendition to look at in full: the largest H.264 file, else the largest file."""
        return max(self.renditions, key=_quality, default=None)

    @property
    def clip(self) -> RenditionView | None:
        """The rendition a card plays: the lightest H.264 file that is still wide enough."""
        enough = [file for file in self.renditions if file.codec == "h264" and file.width >= 480]
        return min(enough, key=_quality) if enough else self.film


@dataclass(frozen=True, slots=True)
class Spending:
    """What was paid for one kind of worker time: load, text, denoise, decode, wait or idle."""

    kind: str
    micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What an edition came to. `paid_micro_usd` includes load, wait and idle time."""

    counts: Mapping[State, int]
    gpu_seconds: float
    paid_micro_usd: int
    spending: tuple[Spending, ...] = ()

    @property
    def shots(self) -> int:
        """Shots of the brief: everything but what was withdrawn from it."""
        return sum(number for state, number in self.counts.items() if state != "withdrawn")

    @property
    def videos(self) -> int:
        """Shots that have a video to look at."""
        return sum(self.counts.get(state, 0) for state in ("rendered", "reused", "duplicate"))

    @property
    def shares(self) -> tuple[Box, ...]:
        """The spending side by side."""
        return shares([part.micro_usd for part in self.spending])

    @property
    def cost_per_video_micro_usd(self) -> int | None:
        """Paid divided by videos rendered here; None where nothing was rendered."""
        rendered = self.counts.get("rendered", 0)
        return (self.paid_micro_usd + rendered // 2) // rendered if rendered else None


def count_states(shots: Iterable[ShotView]) -> dict[State, int]:
    """How many shots ended in which state."""
    return dict(Counter(shot.state for shot in shots))


def add_totals(parts: Iterable[Totals]) -> Totals:
    """The totals of several editions together; spending by kind is left out."""
    counts: Counter[State] = Counter()
    gpu_seconds, paid_micro_usd = 0.0, 0
    for part in parts:
        counts.update(part.counts)
        gpu_seconds += part.gpu_seconds
        paid_micro_usd += part.paid_micro_usd
    return Totals(counts=counts, gpu_seconds=gpu_seconds, paid_micro_usd=paid_micro_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaLine:
    """One limit and what is left of it, such as "ada, videos a day"."""

    label: str
    used: int
    limit: int
    unit: str = "videos"
    resets_at: datetime | None = None

    @property
    def left(self) -> int:
        """Never negative: a limit lowered below its use leaves nothing."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionView:
    """Everything on the page of one edition, in the order of the brief."""

    campaign: str
    title: str
    description: str
    edition: str
    tenant: str
    user: str
    release: str
    tier: str
    generated_at: datetime
    shots: tuple[ShotView, ...]
    totals: Totals
    quotas: tuple[QuotaLine, ...] = ()
    runs: tuple[Link, ...] = ()
    index_href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PosterView:
    """One picture of an edition's strip; the preview moves."""

    shot: str
    href: str
    width: int
    height: int
    preview_href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One edition on the page of all editions; `href` opens the edition's page."""

    campaign: str
    title: str
    description: str
    edition: str
    tenant: str
    user: str
    release: str
    tier: str
    generated_at: datetime
    href: str
    totals: Totals
    posters: tuple[PosterView, ...] = ()


def _quality(file: RenditionView) -> tuple[bool, int, int]:
    return file.codec == "h264", file.width * file.height, file.size_bytes
