"""Whether the videos of an edition cost what they may: a service-level objective, judged."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wan_pipelines.ledger.charges import apportion
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.money import micro_usd
from wan_pipelines.ledger.reports.spending_rows import COLUMNS, KINDS, MEASURES, edition_spending
from wan_pipelines.pages.costs import quotient
from wan_pipelines.studio.cost_settings import CostSettings, CostTarget
from wan_pipelines.studio.studio import Studio

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetVerdict:
    """What the videos of an edition that fall under a target came to.

    paid_micro_usd: for their takes, accepted or not, and their part of what belongs to no take.
    within: videos whose own takes cost no more than the target.
    most: release, tier, GPU class, width, height and frames of most of them.
    """

    target: CostTarget
    videos: int
    within: int
    paid_micro_usd: int
    kinds: Mapping[str, int]
    wasted_micro_usd: int
    retried_micro_usd: int
    most: tuple[str, str, str, int, int, int]

    @property
    def target_micro_usd(self) -> int:
        return micro_usd(self.target.usd_per_video)

    @property
    def each_micro_usd(self) -> int | None:
        """Paid for each video; None where none was accepted."""
        return quotient(self.paid_micro_usd, self.videos)

    @property
    def met(self) -> bool:
        """Money that brought no video at all misses every target."""
        each = self.each_micro_usd
        return self.paid_micro_usd == 0 if each is None else each <= self.target_micro_usd


def judge(studio: Studio, edition: EditionKey) -> tuple[TargetVerdict, ...]:
    """One verdict for each target that something of the edition falls under."""
    names = (*COLUMNS["take"], *MEASURES)
    found = edition_spending(studio.ledger, edition)
    return verdicts([dict(zip(names, row, strict=True)) for row in found], studio.settings.costs)


def verdicts(takes: Iterable[Row], settings: CostSettings) -> tuple[TargetVerdict, ...]:
    """As `judge`, of rows of the ledger's takes, and of what belongs to none."""
    groups: dict[CostTarget, list[Row]] = defaultdict(list)
    nobodys: Counter[str] = Counter()
    for take in takes:
        if take["take"] is None:
            nobodys.update({kind: take[f"{kind}_micro_usd"] for kind in KINDS})
            continue
        target = settings.target(
            release=take["release"],
            tier=take["tier"],
            lines=min(take["width"], take["height"]),
        )
        if target:
            groups[target].append(take)
    own = [_sum(rows, "micro_usd") for rows in groups.values()]
    shares = [Counter[str]() for _ in own]
    for kind, amount in nobodys.items():
        for share, part in zip(shares, shared(amount, own), strict=True):
            share[kind] = part
    pairs = zip(groups.items(), shares, strict=True)
    return tuple(_verdict(target, rows, share) for (target, rows), share in pairs)


def shared(nobodys: int, own: Sequence[int]) -> list[int]:
    """Of what belongs to no take, the part of each by its own cost; none where nothing was paid."""
    return apportion(nobodys, own) if any(own) else [0] * len(own)


def _verdict(target: CostTarget, rows: Sequence[Row], share: Counter[str]) -> TargetVerdict:
    """`share` is its part of what belongs to no take, by kind."""
    paid: Counter[tuple[str, str]] = Counter()
    accepted: set[tuple[str, str]] = set()
    for row in rows:
        video = row["tenant"], row["render_key"]
        paid[video] += row["micro_usd"]
        if row["videos"]:
            accepted.add(video)
    allowed = micro_usd(target.usd_per_video)
    kinds = {kind: _sum(rows, f"{kind}_micro_usd") + share[kind] for kind in KINDS}
    names = ("release", "tier", "gpu_class", "width", "height", "frames")
    ((most, _),) = Counter(tuple(row[name] for name in names) for row in rows).most_common(1)
    return TargetVerdict(
        target=target,
        videos=len(accepted),
        within=sum(paid[video] <= allowed for video in accepted),
        paid_micro_usd=paid.total() + share.total(),
        kinds=kinds,
        wasted_micro_usd=_sum(rows, "wasted_micro_usd") + share.total(),
        retried_micro_usd=_sum(rows, "retried_micro_usd"),
        most=most,
    )


def _sum(rows: Iterable[Row], name: str) -> int:
    return sum(row[name] for row in rows)
