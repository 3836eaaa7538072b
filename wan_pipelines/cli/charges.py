"""`wan charges`: what was charged at a wrong price is put right, and by whom."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from wan_pipelines.cli.decisions import DryRun, Why, given, understood, whoever
from wan_pipelines.cli.output import AsJson, emit, examples, note, print_json
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.ledger.corrections import (
    Correction,
    Rerating,
    Selection,
    corrections,
    rerate,
)
from wan_pipelines.ledger.money import dollars, usd
from wan_pipelines.ledger.prices import Market, price_periods
from wan_pipelines.studio.price_lists import parsed_moment, parsed_price
from wan_pipelines.studio.studio import Studio

COLUMNS = (
    Column("decided_at", "When (UTC)"),
    Column("charges", "Charges", numeric=True),
    Column("difference_usd", "Difference USD", numeric=True),
    Column("usd_per_gpu_hour", "USD/GPU-h", numeric=True),
    Column("of", "Of"),
    Column("decided_by", "By"),
    Column("reason", "Why", beneath=True),
)

group = typer.Typer(
    help="Charges at a wrong price: put them right, by entries that take others back.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "wan charges rerate h100 2.49 --from 2026-11-01 --to 2026-11-10 "
        '--reason "the list was wrong" --dry-run',
        'wan charges waive --run 3f2a… --reason "the node was faulty, the provider refunds it"',
        "wan charges corrections",
    ),
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="charges")


@group.command(name="rerate")
def rerate_command(  # noqa: PLR0913, PLR0917 (an option each)
    gpu_class: Annotated[str, typer.Argument(help="Work on this GPU class.", show_default=False)],
    price: Annotated[str, typer.Argument(help="What an hour of one GPU should have cost, in USD.")],
    since: Annotated[str, typer.Option("--from", help="Work that began at or after this (UTC),")],
    until: Annotated[str, typer.Option("--to", help="and before this.")],
    reason: Why,
    market: Annotated[Market | None, typer.Option(help="Only on-demand or only spot.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only of this tenant.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Charge what began in an interval at another price than it was charged at.

    Nothing is overwritten: each wrong charge is taken back and made anew, and quota, budgets and
    all sums follow. What stands at that price already is left alone, so that it can be repeated.
    """
    studio = this_studio()
    _check_known(studio, gpu_class, tenant)
    selection = Selection(
        gpu_class=gpu_class,
        market=market,
        since=understood(since, parsed_moment, "--from"),
        until=understood(until, parsed_moment, "--to"),
        tenant=tenant,
    )
    cost = understood(price, parsed_price, "PRICE")
    _correct(studio, selection, cost, reason, dry_run=dry_run, as_json=as_json)


@group.command()
def waive(
    reason: Why,
    run: Annotated[str | None, typer.Option(help="All that a run was charged.")] = None,
    take: Annotated[str | None, typer.Option(help="All that a take was charged.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Charge a run or a take nothing: a provider refunded it, or the house bears it.

    Its GPU time stays in all reports. What the provider still asks for it shows as a difference
    in `wan invoice reconcile`.
    """
    if (run is None) == (take is None):
        raise InputError("What is waived?", where="", remedy="Give either --run or --take.")
    selection = Selection(run_id=run, take_id=take)
    _correct(this_studio(), selection, 0, reason, dry_run=dry_run, as_json=as_json)


@group.command(name="corrections")
def corrections_command(as_json: AsJson = False) -> None:
    """List who corrected charges, which ones, when, why, and by how much."""
    found = [_record(each) for each in corrections(this_studio().ledger)]
    emit(found, COLUMNS, as_json=as_json, empty="No charge was ever corrected.")


def _check_known(studio: Studio, gpu_class: str, tenant: str | None) -> None:
    """InputError for a name that never had a price, or a tenant that there is not: a typing error
    would correct nothing, and look as if there were nothing to correct.
    """
    priced = {period.price.gpu_class for period in price_periods(studio.ledger)}
    if gpu_class not in priced:
        raise InputError(
            f"GPU class {gpu_class!r} never had a price.",
            where="GPU_CLASS",
            remedy=did_you_mean(gpu_class, priced),
        )
    if tenant is not None:
        studio.settings.tenant(tenant)


def _correct(
    studio: Studio, selection: Selection, price: int, reason: str, *, dry_run: bool, as_json: bool
) -> None:
    rerating = Rerating(selection, price, whoever(), given(reason))
    outcome = rerate(studio.ledger, rerating, now=datetime.now(UTC), dry_run=dry_run)
    if not outcome.selected and (selection.run_id or selection.take_id):
        raise InputError(
            "Nothing was charged to that.",
            where="--run" if selection.run_id else "--take",
            remedy="Give all of its id: `wan costs` lists runs, `wan videos --json` takes.",
        )
    before, after = outcome.before_micro_usd, outcome.after_micro_usd
    if as_json:
        print_json(
            {
                "workers": outcome.workers,
                "charges": outcome.charges,
                "before_usd": usd(before),
                "after_usd": usd(after),
                "difference_usd": usd(after - before),
                "changed": bool(outcome.charges) and not dry_run,
            }
        )
    elif outcome.charges:
        would = "would be" if dry_run else "are"
        note(
            f"{outcome.charges} charges of {outcome.workers} workers {would} "
            f"{dollars(after)} instead of {dollars(before)}."
        )
    elif outcome.selected:
        note("There is nothing to correct: all such charges are at that price.")
    else:
        note("There is nothing to correct: no such work began in that interval.")


def _record(correction: Correction) -> dict[str, Any]:
    return {
        "id": correction.id,
        "decided_at": correction.decided_at,
        "charges": correction.charges,
        "difference_usd": usd(correction.micro_usd),
        "usd_per_gpu_hour": usd(correction.micro_usd_per_gpu_hour),
        "selection": dict(correction.selection),
        "of": ", ".join(f"{name} {value}" for name, value in correction.selection.items()),
        "decided_by": correction.decided_by,
        "reason": correction.reason,
    }
