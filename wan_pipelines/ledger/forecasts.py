"""Forecasts of editions, kept when they are admitted, beside what they took when they end.

A forecast is of the shots that an admission let pass; what is admitted later has one of its own,
unless it is the same before anything was rendered. It has ended when as many takes of its tier were
accepted since, and before the next: then it was right or wrong, and how often forecasts are right
is a figure by which they are judged. It is given up when none of its shots waits for a take any
more.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any, Literal

from sqlalchemy import Row, bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey, edition_id_of
from wan_pipelines.ledger.moments import from_micros, micros_in, to_micros
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow, ForecastRow, TakeRow
from wan_pipelines.ledger.taken import STAGE_MICROSECONDS
from wan_pipelines.ledger.whose import Asked, tenant_of

ForecastState = Literal["open", "ended", "given_up"]

LATEST = 1000


@dataclass(frozen=True, slots=True)
class Forecast:
    """What shots of a tier will take on warm workers, and what they lie between in `percent`."""

    release: str
    tier: str
    gpu_class: str
    shots: int
    seconds: float
    low_seconds: float
    high_seconds: float
    percent: int
    takes: int


@dataclass(frozen=True, slots=True)
class ForecastOutcome:
    """A forecast of an edition, and what its shots have taken so far.

    `awaited` says that a shot of it is still to be rendered, and that no later forecast says so.
    """

    tenant: str
    campaign: str
    edition: str
    made_at: datetime
    forecast: Forecast
    rendered: int
    actual_seconds: float
    awaited: bool

    @property
    def state(self) -> ForecastState:
        """Whether it may still prove right or wrong, has, or never will."""
        if self.ended:
            return "ended"
        return "open" if self.awaited else "given_up"

    @property
    def ended(self) -> bool:
        """Were all its shots rendered?"""
        return self.rendered >= self.forecast.shots

    @property
    def error(self) -> float:
        """By how much more than expected it took, as a part of that."""
        return self.actual_seconds / self.forecast.seconds - 1

    @property
    def held(self) -> bool:
        """Did it lie between what was said?"""
        return self.forecast.low_seconds <= self.actual_seconds <= self.forecast.high_seconds


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How right forecasts of a release and tier were, of those that have ended.

    `bias` is the mean error, `error` the mean of its size; `held` is the share that lay between
    what was said, and should be `percent`.
    """

    release: str
    tier: str
    ended: int
    bias: float
    error: float
    held: float
    percent: int


def keep_forecasts(
    ledger: Ledger, edition: EditionKey, forecasts: Sequence[Forecast], *, now: datetime
) -> None:
    """Keep what an admission at that moment is expected to take.

    One that repeats the last before anything was rendered keeps nothing: it is the same forecast.
    """
    if not forecasts:
        return
    with ledger.write(edition.tenant) as session:
        edition_id = edition_id_of(session, edition)
        if _pending(session, edition_id) == {_subject(each) for each in forecasts}:
            return
        session.add_all(
            ForecastRow(
                tenant=edition.tenant,
                edition_id=edition_id,
                release=each.release,
                tier=each.tier,
                gpu_class=each.gpu_class,
                shots=each.shots,
                expected_microseconds=micros_in(each.seconds),
                low_microseconds=micros_in(each.low_seconds),
                high_microseconds=micros_in(each.high_seconds),
                percent=each.percent,
                takes=each.takes,
                created_at=to_micros(now),
            )
            for each in forecasts
        )


def _pending(session: Session, edition_id: int) -> set[tuple[str, str, str, int]]:
    """What the last forecasts of an edition are about; nothing if some of it was rendered."""
    last = session.scalar(
        select(func.max(ForecastRow.created_at)).where(ForecastRow.edition_id == edition_id)
    )
    if last is None or session.scalar(_ANY_RENDERED, {"edition": edition_id, "since": last}):
        return set()
    found = select(ForecastRow).where(
        ForecastRow.edition_id == edition_id, ForecastRow.created_at == last
    )
    return {_subject(row) for row in session.scalars(found)}


def _subject(of: Forecast | ForecastRow) -> tuple[str, str, str, int]:
    return of.release, of.tier, of.gpu_class, of.shots


def outcomes(
    ledger: Ledger, whose: Asked, *, edition: EditionKey | None = None
) -> tuple[ForecastOutcome, ...]:
    """The latest forecasts of a tenant or of the house, or those of one edition; latest first."""
    wanted = (
        (EditionRow.tenant, tenant_of(whose)),
        (EditionRow.campaign, edition and edition.campaign),
        (EditionRow.edition, edition and edition.edition),
    )
    named = [column == value for column, value in wanted if value is not None]
    latest = _LATEST.where(*named).order_by(ForecastRow.id.desc()).limit(LATEST)
    query = _OUTCOMES.where(*named, ForecastRow.id.in_(latest)).order_by(ForecastRow.id.desc())
    with ledger.read(whose) as session:
        return tuple(_outcome(row) for row in session.execute(query))


def accuracy(found: Iterable[ForecastOutcome]) -> tuple[Accuracy, ...]:
    """By release and tier, in their order; of those that have ended."""
    groups: dict[tuple[str, str], list[ForecastOutcome]] = defaultdict(list)
    for each in found:
        if each.ended:
            groups[each.forecast.release, each.forecast.tier].append(each)
    return tuple(
        Accuracy(
            release,
            tier,
            ended=len(group),
            bias=fmean(each.error for each in group),
            error=fmean(abs(each.error) for each in group),
            held=fmean(each.held for each in group),
            percent=round(fmean(each.forecast.percent for each in group)),
        )
        for (release, tier), group in sorted(groups.items())
    )


_Later = aliased(ForecastRow)
_until = (
    select(func.min(_Later.created_at))
    .where(_Later.edition_id == ForecastRow.edition_id, _Later.created_at > ForecastRow.created_at)
    .correlate(ForecastRow)
    .scalar_subquery()
)
_is_rendered = TakeRow.outcome.in_(("accepted", "forgotten"))
_ANY_RENDERED = select(
    exists().where(
        TakeRow.edition_id == bindparam("edition"),
        TakeRow.started_at >= bindparam("since"),
        _is_rendered,
    )
)
_waits = exists().where(
    EditionShotRow.edition_id == ForecastRow.edition_id,
    EditionShotRow.tier == ForecastRow.tier,
    EditionShotRow.reservation.is_not(None),
)
_RENDERED = (
    (TakeRow.edition_id == ForecastRow.edition_id)
    & (TakeRow.tier == ForecastRow.tier)
    & _is_rendered
    & (TakeRow.started_at >= ForecastRow.created_at)
    & (TakeRow.started_at < func.coalesce(_until, TakeRow.started_at + 1))
)
_LATEST = select(ForecastRow.id).join(EditionRow, EditionRow.id == ForecastRow.edition_id)
"""Chosen before takes are looked up: of forecasts there are ever more."""
_OUTCOMES = (
    select(
        ForecastRow,
        EditionRow.campaign,
        EditionRow.edition,
        func.count(TakeRow.id).label("rendered"),
        func.coalesce(func.sum(STAGE_MICROSECONDS), 0).label("microseconds"),
        (_until.is_(None) & _waits).label("awaited"),
    )
    .join(EditionRow, EditionRow.id == ForecastRow.edition_id)
    .outerjoin(TakeRow, _RENDERED)
    .group_by(ForecastRow.id, EditionRow.id)
)


def _outcome(found: Row[Any]) -> ForecastOutcome:
    row: ForecastRow = found[0]
    return ForecastOutcome(
        tenant=row.tenant,
        campaign=found.campaign,
        edition=found.edition,
        made_at=from_micros(row.created_at),
        forecast=Forecast(
            release=row.release,
            tier=row.tier,
            gpu_class=row.gpu_class,
            shots=row.shots,
            seconds=row.expected_microseconds / 1e6,
            low_seconds=row.low_microseconds / 1e6,
            high_seconds=row.high_microseconds / 1e6,
            percent=row.percent,
            takes=row.takes,
        ),
        rendered=found.rendered,
        actual_seconds=int(found.microseconds) / 1e6,
        awaited=found.awaited,
    )
