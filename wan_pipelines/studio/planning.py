"""From a brief to what an edition renders: expanded, screened, priced, admitted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.campaigns.editions import check_edition
from wan_pipelines.campaigns.screening import Verdict, load_rules, screen_shots
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.ledger.admission import Admission, Candidate
from wan_pipelines.ledger.amounts import Amount
from wan_pipelines.ledger.budget_sums import edition_paid
from wan_pipelines.ledger.budgets import NO_BUDGETS, Budgets
from wan_pipelines.ledger.editions import admit as admit_in_ledger
from wan_pipelines.ledger.forecasts import keep_forecasts
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import micros_in
from wan_pipelines.ledger.reports.descent_rows import degraded_takes
from wan_pipelines.rendering.shards import wall_seconds
from wan_pipelines.studio.declared_budgets import budgets_of
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.estimates import Estimator, seconds_between
from wan_pipelines.studio.fitting import Fitting
from wan_pipelines.studio.forecasting import forecasts_of
from wan_pipelines.studio.outputs import broken_videos, forget_broken, forget_degraded
from wan_pipelines.studio.plans import EditionPlan, PlannedShot, Starts
from wan_pipelines.studio.reviews import reviewer
from wan_pipelines.studio.store_check import check_store
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.workers import close_dead_workers

LOST = "its files are lost or damaged"


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for: shots of an edition, all of them or those that `only` names."""

    edition: EditionKey
    shots: Sequence[Shot]
    only: Collection[str] | None = None
    budgets: Budgets = NO_BUDGETS
    exact: bool = False


def preview(
    studio: Studio,
    campaign: str,
    edition: str,
    *,
    only: Collection[str] | None = None,
    exact: bool = False,
) -> EditionPlan:
    """What `admit` would decide now; changes nothing."""
    studio = studio.on(studio.brief(campaign).gpu_class)
    return _preview(studio, _wish(studio, campaign, edition, only, exact=exact))


def admit(
    studio: Studio,
    campaign: str,
    edition: str,
    *,
    only: Collection[str] | None = None,
    exact: bool = False,
) -> EditionPlan:
    """Decide about the shots of an edition and reserve quota.

    Accepted takes whose files are lost or damaged are given up, and their shots rendered again;
    with `exact`, so are those that were drawn with less than was asked for.
    """
    studio = studio.on(studio.brief(campaign).gpu_class)
    return _admit(studio, _wish(studio, campaign, edition, only, exact=exact))


def preview_brief(
    studio: Studio,
    brief: Brief,
    shots: Sequence[Shot],
    edition: str,
    *,
    only: Collection[str] | None = None,
) -> EditionPlan:
    """As `preview`, if the brief said that and asked for those shots."""
    key = EditionKey(brief.tenant, brief.user, brief.name, check_edition(edition))
    return _preview(studio, _Wish(key, shots, only, budgets_of(brief)))


def preview_shots(studio: Studio, edition: EditionKey, shots: Sequence[Shot]) -> EditionPlan:
    """As `preview`, for shots that stand in no brief."""
    return _preview(studio, _Wish(edition, shots))


def admit_shots(studio: Studio, edition: EditionKey, shots: Sequence[Shot]) -> EditionPlan:
    """As `admit`, for shots that stand in no brief."""
    return _admit(studio, _Wish(edition, shots))


def check_names(shots: Sequence[Shot], only: Collection[str] | None) -> None:
    """InputError, with what was probably meant, unless all names of `only` are names of shots."""
    names = {shot.name for shot in shots}
    for name in only or ():
        if name not in names:
            raise InputError(
                f"there is no shot {name!r}.", where="only", remedy=did_you_mean(name, names)
            )


def _wish(
    studio: Studio, campaign: str, edition: str, only: Collection[str] | None, *, exact: bool
) -> _Wish:
    budgets = budgets_of(studio.brief(campaign))
    key = edition_key(studio, campaign, edition)
    return _Wish(key, studio.shots(campaign), only, budgets, exact=exact)


def _preview(studio: Studio, wish: _Wish) -> EditionPlan:
    tenant, keys = wish.edition.tenant, _keys(studio, wish)
    lost = {output.render_key for output in broken_videos(studio, tenant, keys)}
    if wish.exact:
        lost |= degraded_takes(studio.ledger, tenant, keys).keys()
    return _decide(studio, wish, lost=lost, dry_run=True)


def _admit(studio: Studio, wish: _Wish) -> EditionPlan:
    keys = _keys(studio, wish)
    check_store(studio)
    close_dead_workers(studio)
    forget_broken(studio, wish.edition.tenant, keys)
    if wish.exact:
        forget_degraded(studio, wish.edition.tenant, keys)
    plan = _decide(studio, wish)
    forecasts = forecasts_of(plan, studio.settings.gpu_class)
    keep_forecasts(studio.ledger, plan.edition, forecasts, now=datetime.now(UTC))
    return plan


def _keys(studio: Studio, wish: _Wish) -> set[str]:
    """Render keys of what is asked for; InputError for a tenant or shot that there is not."""
    studio.settings.tenant(wish.edition.tenant)
    check_names(wish.shots, wish.only)
    only = None if wish.only is None else set(wish.only)
    return {shot.render_key for shot in wish.shots if only is None or shot.name in only}


def _decide(
    studio: Studio, wish: _Wish, *, lost: Collection[str] = (), dry_run: bool = False
) -> EditionPlan:
    """Screen and admit; shots whose render key is `lost` count as not rendered yet."""
    reviewed = reviewer(studio, wish.edition.tenant)
    verdicts = screen_shots(wish.shots, load_rules(), reviewed)
    screened = {
        shot.name: (shot, verdict) for shot, verdict in zip(wish.shots, verdicts, strict=True)
    }
    estimator = Estimator(studio)
    asking = _Asking(studio, wish.edition.tenant, estimator)
    admissions = admit_in_ledger(
        studio.ledger,
        wish.edition,
        [asking.candidate(shot, verdict) for shot, verdict in screened.values()],
        only=wish.only,
        lost=lost,
        budgets=wish.budgets,
        dry_run=dry_run,
        now=datetime.now(UTC),
    )
    planned = tuple(
        _planned(estimator, *screened[admission.name], admission, lost) for admission in admissions
    )
    starts = _starts(estimator, [each.shot for each in planned if each.renders])
    return EditionPlan(
        edition=wish.edition,
        shots=planned,
        budget_micro_usd=wish.budgets.edition and wish.budgets.edition.whole,
        budget_left_micro_usd=_budget_left(studio, wish),
        starts=starts,
        cost_between_micro_usd=_cost_between(estimator, planned, starts),
    )


def _budget_left(studio: Studio, wish: _Wish) -> int | None:
    """What is reserved is left: the plan counts it among what it costs."""
    budget = wish.budgets.edition
    return budget and max(0, budget.ceiling - edition_paid(studio.ledger, wish.edition))


def _starts(estimator: Estimator, shots: Sequence[Shot]) -> Starts:
    """Of the workers among whom the shots would be divided."""
    shards = estimator.shards(shots)
    starting = [estimator.start_seconds(shard.shots[0].request) for shard in shards]
    seconds = sum(starting)
    lasting = [start + shard.seconds for start, shard in zip(starting, shards, strict=True)]
    return Starts(
        len(shards),
        seconds,
        estimator.micro_usd(seconds),
        wall_seconds=wall_seconds(lasting, estimator.workers),
        at_a_time=min(estimator.workers, max(1, len(shards))),
    )


def _cost_between(
    estimator: Estimator, planned: Sequence[PlannedShot], starts: Starts
) -> tuple[int, int]:
    """What is rounded for each shot is not what is rounded once: the sum lies within anyway."""
    low, high = seconds_between(each.estimate for each in planned if each.estimate)
    cost = sum(each.cost_micro_usd for each in planned) + starts.cost_micro_usd
    return (
        min(cost, estimator.micro_usd(low + starts.gpu_seconds)),
        max(cost, estimator.micro_usd(high + starts.gpu_seconds)),
    )


class _Asking:
    """What a tenant asks for, as the ledger's candidates."""

    def __init__(self, studio: Studio, tenant: str, estimator: Estimator) -> None:
        self._estimator = estimator
        self._fitting = Fitting(studio, estimator)
        self._plan_name = studio.settings.tenant(tenant).plan
        self._plan = studio.settings.plans[self._plan_name]
        self._gpu_count = studio.settings.rendering_class.gpu_count

    def candidate(self, shot: Shot, verdict: Verdict) -> Candidate:
        return Candidate(
            name=shot.name,
            render_key=shot.render_key,
            request=shot.request.to_json(),
            tier=shot.tier,
            fps=shot.fps,
            renditions=shot.renditions,
            variables=shot.variables,
            verdict=verdict.outcome,
            reason=verdict.reason,
            unfit=self._plan.why_not(self._plan_name, shot) or self._fitting.why_unfit(shot),
            amount=self._amount(shot),
        )

    def _amount(self, shot: Shot) -> Amount:
        """What a take is expected to count, which is not what the worker takes besides."""
        seconds = self._estimator.seconds(shot)
        return Amount(
            shots=1,
            gpu_microseconds=self._gpu_count * micros_in(seconds),
            micro_usd=self._estimator.micro_usd(seconds),
        )


def _planned(
    estimator: Estimator,
    shot: Shot,
    verdict: Verdict,
    admission: Admission,
    lost: Collection[str],
) -> PlannedShot:
    renders = admission.state == "admitted" and not admission.rendered
    estimate = estimator.of(shot) if renders else None
    return PlannedShot(
        shot=shot,
        state=admission.state,
        renders=renders,
        reason=LOST if renders and shot.render_key in lost else admission.reason,
        hint=verdict.hint,
        may_run_at=admission.may_run_at,
        estimate=estimate,
        cost_micro_usd=estimator.micro_usd(estimate.seconds) if estimate else 0,
        reserved=admission.reserved,
    )
