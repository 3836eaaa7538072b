"""From a brief to what an edition renders: expanded, screened, priced, admitted."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from wan_pipelines.campaigns.screening import Verdict, load_rules, screen_shots
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.ledger.admission import Admission, Candidate, State
from wan_pipelines.ledger.editions import EditionKey
from wan_pipelines.ledger.editions import admit as admit_in_ledger
from wan_pipelines.ledger.money import micro_usd, price_of
from wan_pipelines.rendering.estimate import shot_seconds
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.outputs import forget_broken
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.workers import close_dead_workers


@dataclass(frozen=True, slots=True)
class PlannedShot:
    """A shot, what was decided about it, and what it is expected to take.

    `gpu_seconds` and `cost_micro_usd` are estimates, 0 for shots that are not rendered now.
    """

    shot: Shot
    render_key: str
    state: State
    reason: str
    may_run_at: datetime | None
    gpu_seconds: float
    cost_micro_usd: int


@dataclass(frozen=True)
class Plan:
    """What a launch of an edition would do, or does."""

    edition: EditionKey
    shots: tuple[PlannedShot, ...]
    budget_micro_usd: int | None

    @cached_property
    def counts(self) -> Counter[State]:
        return Counter(planned.state for planned in self.shots)

    @property
    def gpu_seconds(self) -> float:
        return sum(planned.gpu_seconds for planned in self.shots)

    @property
    def cost_micro_usd(self) -> int:
        return sum(planned.cost_micro_usd for planned in self.shots)

    @property
    def over_budget(self) -> bool:
        return self.budget_micro_usd is not None and self.cost_micro_usd > self.budget_micro_usd


def preview(
    studio: Studio, campaign: str, edition: str, *, only: Collection[str] | None = None
) -> Plan:
    """What `admit` would decide now; changes nothing."""
    return _plan(studio, campaign, edition, only, dry_run=True)


def admit(
    studio: Studio, campaign: str, edition: str, *, only: Collection[str] | None = None
) -> Plan:
    """Decide about the shots of an edition and reserve quota; accepted takes whose files are
    lost or damaged are forgotten first, so that they are rendered again.
    """
    close_dead_workers(studio)
    forget_broken(studio, edition_key(studio, campaign, edition), only)
    return _plan(studio, campaign, edition, only, dry_run=False)


def preview_shots(studio: Studio, edition: EditionKey, shots: Sequence[Shot]) -> Plan:
    """As `preview`, for shots that stand in no brief."""
    return _decide(studio, edition, shots, None, None, dry_run=True)


def admit_shots(studio: Studio, edition: EditionKey, shots: Sequence[Shot]) -> Plan:
    """As `admit`, for shots that stand in no brief."""
    close_dead_workers(studio)
    return _decide(studio, edition, shots, None, None, dry_run=False)


def _plan(
    studio: Studio, campaign: str, edition: str, only: Collection[str] | None, *, dry_run: bool
) -> Plan:
    budget_usd = studio.brief(campaign).budget_usd
    budget = None if budget_usd is None else micro_usd(budget_usd)
    key = edition_key(studio, campaign, edition)
    return _decide(studio, key, studio.shots(campaign), only, budget, dry_run=dry_run)


def _decide(
    studio: Studio,
    edition: EditionKey,
    shots: Sequence[Shot],
    only: Collection[str] | None,
    budget_micro_usd: int | None,
    *,
    dry_run: bool,
) -> Plan:
    studio.settings.tenant(edition.tenant)
    admissions = admit_in_ledger(
        studio.ledger,
        edition,
        _candidates(shots),
        only=only,
        now=datetime.now(UTC),
        dry_run=dry_run,
    )
    by_name = {shot.name: shot for shot in shots}
    planned = tuple(_planned(studio, by_name[a.name], a) for a in admissions)
    return Plan(edition, planned, budget_micro_usd)


def _candidates(shots: Sequence[Shot]) -> list[Candidate]:
    verdicts = screen_shots(shots, load_rules())
    return [_candidate(shot, verdict) for shot, verdict in zip(shots, verdicts, strict=True)]


def _candidate(shot: Shot, verdict: Verdict) -> Candidate:
    return Candidate(
        name=shot.name,
        render_key=shot.render_key,
        request=shot.request.to_json(),
        tier=shot.tier,
        fps=shot.fps,
        renditions=shot.renditions,
        variables=shot.variables,
        verdict=verdict.outcome,
        reason=f"{verdict.reason} {verdict.hint}".strip(),
    )


def _planned(studio: Studio, shot: Shot, admission: Admission) -> PlannedShot:
    renders = admission.state == "admitted" and not admission.rendered
    seconds = expected_seconds(studio)(shot) if renders else 0.0
    return PlannedShot(
        shot=shot,
        render_key=admission.render_key,
        state=admission.state,
        reason=admission.reason,
        may_run_at=admission.may_run_at,
        gpu_seconds=seconds,
        cost_micro_usd=_price(studio, seconds),
    )


def expected_seconds(studio: Studio) -> Callable[[Shot], float]:
    """How long a shot is expected to hold a GPU of this environment."""
    gpu_class = studio.settings.gpu_class
    return lambda shot: shot_seconds(studio.release(shot.request.release), shot.request, gpu_class)


def _price(studio: Studio, seconds: float) -> int:
    rendering = studio.settings.rendering_class
    return price_of(
        gpu_count=rendering.gpu_count,
        microseconds=round(seconds * 1e6),
        micro_usd_per_gpu_hour=micro_usd(rendering.price_usd_per_hour),
    )
