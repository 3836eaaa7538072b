"""`wan forecasts`: how right it was what plans said."""

from typing import Annotated, Any

import typer

from wan_pipelines.cli.output import AsJson, emit, examples
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.cli.tenants import AllTenants, TenantName, asked
from wan_pipelines.ledger.forecasts import Accuracy, ForecastOutcome, accuracy, outcomes

OF_EDITIONS = (
    Column("edition", "Edition"),
    Column("tier", "Tier"),
    Column("shots", "Shots", numeric=True),
    Column("rendered", "Rendered", numeric=True),
    Column("gpu_seconds", "Said s", numeric=True),
    Column("between", "Between", numeric=True),
    Column("actual_gpu_seconds", "Took s", numeric=True),
    Column("state", "State"),
    Column("held", "Held"),
)
BY_TIER = (
    Column("release", "Release"),
    Column("tier", "Tier"),
    Column("ended", "Ended", numeric=True),
    Column("bias", "Mean error", numeric=True),
    Column("error", "Off by", numeric=True),
    Column("held", "Held", numeric=True),
    Column("said", "Said", numeric=True),
)

Editions = Annotated[
    bool, typer.Option("--editions", help="List the forecasts themselves, latest first.")
]


def register(app: typer.Typer) -> None:
    app.command(
        epilog=examples("wan forecasts", "wan forecasts --editions", "wan forecasts --json")
    )(forecasts)


def forecasts(
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    editions: Editions = False,
    as_json: AsJson = False,
) -> None:
    """Compare what editions were expected to take with what they took, by release and tier.

    An interval is right if it holds as often as it says.
    """
    studio = this_studio()
    found = outcomes(studio.ledger, asked(studio, tenant, all_tenants=all_tenants))
    if editions:
        records = [_outcome(each) if as_json else _outcome_row(each) for each in found]
        emit(records, OF_EDITIONS, as_json=as_json, empty="Nothing was admitted yet.")
        return
    judged = accuracy(found)
    records = [_accuracy(each) if as_json else _accuracy_row(each) for each in judged]
    emit(records, BY_TIER, as_json=as_json, empty="No edition has ended yet.")


def _outcome(each: ForecastOutcome) -> dict[str, Any]:
    forecast = each.forecast
    return {
        "tenant": each.tenant,
        "edition": f"{each.campaign}/{each.edition}",
        "made_at": each.made_at,
        "release": forecast.release,
        "tier": forecast.tier,
        "gpu_class": forecast.gpu_class,
        "shots": forecast.shots,
        "rendered": each.rendered,
        "ended": each.ended,
        "state": each.state,
        "gpu_seconds": round(forecast.seconds, 3),
        "gpu_seconds_between": [round(forecast.low_seconds, 3), round(forecast.high_seconds, 3)],
        "percent": forecast.percent,
        "takes": forecast.takes,
        "actual_gpu_seconds": round(each.actual_seconds, 3),
        "error": round(each.error, 4) if each.ended else None,
        "held": each.held if each.ended else None,
    }


def _outcome_row(each: ForecastOutcome) -> dict[str, Any]:
    forecast = each.forecast
    held = {True: "yes", False: "no"}[each.held] if each.ended else ""
    between = f"{forecast.low_seconds:.1f} to {forecast.high_seconds:.1f}"
    state = each.state.replace("_", " ")
    return {**_outcome(each), "between": between, "state": state, "held": held}


def _accuracy(each: Accuracy) -> dict[str, Any]:
    return {
        "release": each.release,
        "tier": each.tier,
        "ended": each.ended,
        "bias": round(each.bias, 4),
        "error": round(each.error, 4),
        "held": round(each.held, 4),
        "said": each.percent / 100,
    }


def _accuracy_row(each: Accuracy) -> dict[str, Any]:
    return {
        **_accuracy(each),
        "bias": f"{each.bias:+.1%}",
        "error": f"{each.error:.1%}",
        "held": f"{each.held:.0%}",
        "said": f"{each.percent} %",
    }
