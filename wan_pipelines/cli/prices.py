"""`wan prices`: what GPUs cost, since when, and who said so."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from wan_pipelines.cli.decisions import DryRun, Why, given, understood, whoever
from wan_pipelines.cli.output import AsJson, emit, examples, note, print_json
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.ledger.money import dollars, usd
from wan_pipelines.ledger.prices import Market, Price, PricePeriod, price_periods, publish_prices
from wan_pipelines.studio.price_lists import parsed_moment, parsed_price, read_price_list
from wan_pipelines.studio.studio import Studio

COLUMNS = (
    Column("gpu_class", "GPU class"),
    Column("market", "Market"),
    Column("usd_per_gpu_hour", "USD/GPU-h", numeric=True),
    Column("valid_from", "From (UTC)"),
    Column("valid_until", "Until (UTC)"),
    Column("decided_by", "By"),
    Column("reason", "Why", beneath=True),
)
NOTHING = "No price has begun yet."
FOREVER = datetime.max.replace(tzinfo=UTC)

group = typer.Typer(
    help="What GPUs cost: list, set, import; nothing that was charged changes by it.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "wan prices list",
        "wan prices history h100",
        'wan prices set h100 2.49 --from 2026-12-01 --reason "new contract"',
        'wan prices import prices.csv --reason "list of December" --dry-run',
    ),
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="prices")


@group.command(name="list")
def list_command(as_json: AsJson = False) -> None:
    """Show the prices at which work begins now."""
    now = datetime.now(UTC)
    found = [
        period
        for period in price_periods(this_studio().ledger)
        if period.price.valid_from <= now < (period.valid_until or FOREVER)
    ]
    emit(list(map(_period, found)), COLUMNS, as_json=as_json, empty=NOTHING)


@group.command()
def history(
    gpu_class: Annotated[str | None, typer.Argument(help="Only of this class.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show all prices that were ever set, those to come included."""
    periods = price_periods(this_studio().ledger, gpu_class)
    emit(list(map(_period, periods)), COLUMNS, as_json=as_json, empty="There is no such price.")


@group.command(name="set")
def set_command(
    gpu_class: Annotated[str, typer.Argument(help="Of which GPU class.", show_default=False)],
    price: Annotated[str, typer.Argument(help="Dollars for an hour of one GPU.")],
    reason: Why,
    since: Annotated[
        str | None, typer.Option("--from", help="Since when (UTC), such as 2026-12-01; now.")
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Open a new price from a moment on. Work that has begun keeps the price it began at.

    It holds until the price in the environment's YAML is changed. Where the moment has passed,
    `wan charges rerate` brings charges since then to the new price.
    """
    studio = this_studio()
    now = datetime.now(UTC)
    price_set = Price(
        gpu_class,
        understood(price, parsed_price, "PRICE"),
        now if since is None else understood(since, parsed_moment, "--from"),
        _market_of(studio, gpu_class),
        whoever(),
        given(reason),
    )
    _publish(studio, [price_set], now, dry_run=dry_run, as_json=as_json)


@group.command(name="import")
def import_command(
    file: Annotated[
        Path, typer.Argument(help="CSV: gpu_class, usd_per_hour, valid_from, and maybe market.")
    ],
    reason: Why,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Open the prices of a list, all or none; those that are known already change nothing."""
    studio = this_studio()
    prices = read_price_list(file, decided_by=whoever(), reason=given(reason))
    for price in prices:
        _market_of(studio, price.gpu_class)
    _publish(studio, prices, datetime.now(UTC), dry_run=dry_run, as_json=as_json)


def _publish(
    studio: Studio, prices: Sequence[Price], now: datetime, *, dry_run: bool, as_json: bool
) -> None:
    opened = publish_prices(studio.ledger, prices, now=now, dry_run=dry_run)
    if as_json:
        print_json({"opened": list(map(_record, opened)), "changed": bool(opened) and not dry_run})
        return
    for price in opened:
        would, cost = "would cost" if dry_run else "costs", dollars(price.micro_usd_per_gpu_hour)
        since = f"{price.valid_from:%Y-%m-%d %H:%M} UTC"
        note(f"An hour of {price.gpu_class} ({price.market}) {would} {cost} from {since} on.")
        if price.valid_from < now:
            note("What began since then keeps its price: see `wan charges rerate`.", "yellow")
    if not opened:
        note("The book has that already.")


def _market_of(studio: Studio, gpu_class: str) -> Market:
    classes = studio.settings.gpu_classes
    if gpu_class not in classes:
        raise InputError(
            f"there is no GPU class {gpu_class!r}.",
            where=f"resources/{studio.settings.name}/defs.yaml, gpu_classes",
            remedy=did_you_mean(gpu_class, classes),
        )
    return classes[gpu_class].market


def _record(price: Price) -> dict[str, Any]:
    return {
        "gpu_class": price.gpu_class,
        "market": price.market,
        "usd_per_gpu_hour": usd(price.micro_usd_per_gpu_hour),
        "micro_usd_per_gpu_hour": price.micro_usd_per_gpu_hour,
        "valid_from": price.valid_from,
        "decided_by": price.decided_by or "environment",
        "reason": price.reason,
    }


def _period(period: PricePeriod) -> dict[str, Any]:
    return {
        **_record(period.price),
        "valid_until": period.valid_until,
        "decided_at": period.decided_at,
    }
