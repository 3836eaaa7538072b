"""Costs of a month, and a missed target, for tests of their pages."""

from datetime import UTC, date, datetime, timedelta

from wan_pipelines.pages.costs import CostsView, Day, Parts, Ranking, Row, Spent, TargetLine
from wan_pipelines.pages.optimisation import Missed, OptimisationView, Way

DOLLAR = 1_000_000


def spent(dollars: int, videos: int = 100) -> Spent:
    """Dollars in parts of 80, 5, 4, 8 and 3 per cent."""
    return Spent(
        videos=videos,
        takes=videos + 7,
        gpu_microseconds=videos * 90_000_000,
        micro_usd=dollars * DOLLAR,
        parts=Parts(*(dollars * DOLLAR * share // 100 for share in (80, 5, 4, 8, 3))),
        retried_micro_usd=dollars * DOLLAR // 20,
        degraded_micro_usd=0,
    )


def costs(campaign: str = "autumn", tenant: str = "") -> CostsView:
    """Thirty days, some of them without anything, and campaigns of which not all are shown."""
    first = date(2026, 10, 24)
    paid = [40 + 17 * number % 60 if number % 7 < 5 else 0 for number in range(30)]
    days = [
        Day(first + timedelta(days=number), spent(dollars, 10 * dollars))
        for number, dollars in enumerate(paid)
    ]
    rows = tuple(
        Row((campaign if n == 9 else f"campaign-{n}", "acme"), spent(n)) for n in range(9, 0, -1)
    )
    return CostsView(
        tenant=tenant,
        generated_at=datetime(2026, 11, 22, 16, 45, tzinfo=UTC),
        time_zone="Europe/Berlin",
        total=spent(sum(paid), 10 * sum(paid)),
        days=tuple(days),
        rankings=(
            Ranking("Campaigns", "What the videos were for.", ("Campaign", "Tenant"), rows, 3, 12),
        ),
        targets=(
            TargetLine("720p", 80_000, 9000, 100_000),
            TargetLine("wan-tiny", 100, 12, 70),
        ),
    )


def way(tier: str, each: int, *changes: str, fidelity: float | None = None) -> Way:
    return Way(
        release="wan-tiny",
        tier=tier,
        gpu_class="laptop-cpu",
        shard_minutes=15,
        workers=2,
        changes=changes,
        seconds=3.6,
        start_seconds=3.7,
        videos_per_worker=6.0,
        each_micro_usd=each,
        meets=each <= 100,
        basis="12 takes of other shapes or tiers here",
        prompt_fidelity=fidelity,
        vmaf=None,
    )


def optimisation(campaign: str = "demo") -> OptimisationView:
    """A target that one way would have met."""
    missed = Missed(
        target="wan-tiny",
        target_micro_usd=100,
        each_micro_usd=117,
        videos=12,
        within=4,
        paid_micro_usd=1403,
        kinds={"load": 176, "text": 45, "denoise": 613, "decode": 539, "wait": 21, "idle": 9},
        wasted_micro_usd=0,
        retried_micro_usd=0,
        ways=(
            way("draft", 72, "tier draft", fidelity=0.83),
            way("standard", 118, fidelity=0.88),
            way("other", 300, "tier other"),
        ),
    )
    return OptimisationView(
        tenant="demo",
        campaign=campaign,
        edition="first-light",
        generated_at=datetime(2026, 11, 22, 16, 45, tzinfo=UTC),
        edition_href="index.html",
        missed=(missed,),
    )
