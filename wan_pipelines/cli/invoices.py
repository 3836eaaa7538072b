"""`wan invoice`: what providers ask, and whether it is what was charged."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from wan_pipelines.cli.decisions import DryRun, Why, given, understood, whoever
from wan_pipelines.cli.output import AsJson, console, emit, examples, note, print_json
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column, print_table
from wan_pipelines.csv_tables import exact_decimal
from wan_pipelines.ledger.invoices.book import import_invoice, known_invoices, withdraw_invoice
from wan_pipelines.ledger.invoices.lines import Basis, Invoice
from wan_pipelines.ledger.invoices.reading import FOCUS
from wan_pipelines.ledger.money import MICROSECONDS_PER_HOUR, dollars, usd
from wan_pipelines.ledger.reconciliation.differences import Difference
from wan_pipelines.ledger.reconciliation.periods import Period
from wan_pipelines.ledger.reconciliation.reconciling import Reconciliation, Row
from wan_pipelines.studio.invoices import invoice_of, reconciliation

MOST = 2**63 - 1
"""No invoice has a number beyond it."""
BEYOND = 1
"""Exit code of a reconciliation that differs by more than the tolerance."""

INVOICES = (
    Column("id", "No.", numeric=True),
    Column("imported_at", "Imported (UTC)"),
    Column("name", "File"),
    Column("layout", "Layout"),
    Column("lines", "Lines", numeric=True),
    Column("billed_usd", "Billed USD", numeric=True),
    Column("imported_by", "By"),
    Column("withdrawn_by", "Withdrawn by"),
    Column("withdrawn_because", "Why", beneath=True),
)
AMOUNTS = (
    Column("subject", "What"),
    Column("invoiced_usd", "Invoiced", numeric=True),
    Column("video_usd", "Videos", numeric=True),
    Column("overhead_usd", "Overheads", numeric=True),
    Column("idle_usd", "Idle", numeric=True),
    Column("difference_usd", "Difference", numeric=True),
    Column("why", "Why", beneath=True),
)

group = typer.Typer(
    help="Invoices of providers: import them, compare them with what was charged.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "wan invoice import november.csv                 columns of FOCUS",
        "wan invoice import november.csv --layout acme   as the environment declares them",
        'wan invoice withdraw 3 --reason "of another account"',
        "wan invoice reconcile 2026-11",
        "wan invoice reconcile 2026-11 --by day --cost effective --json",
    ),
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="invoice")


@group.command(name="import")
def import_command(
    file: Annotated[Path, typer.Argument(help="The provider's CSV.", show_default=False)],
    layout: Annotated[str, typer.Option(help="Of the environment's `invoices`.")] = FOCUS.name,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Keep the lines of an invoice; those that are known, from whatever file, are kept once."""
    studio = this_studio()
    invoice = invoice_of(studio, file, layout)
    now = datetime.now(UTC)
    done = import_invoice(studio.ledger, invoice, imported_by=whoever(), now=now, dry_run=dry_run)
    billed = sum(line.billed.micro_usd for line in invoice.lines)
    finer = _finer(invoice)
    if as_json:
        figures = {"new": done.new, "known": done.known, "again": done.again}
        print_json({**figures, "billed_usd": usd(billed), "finer_lines": finer})
        return
    if done.again:
        note(f"{invoice.name} was imported before: nothing changes.")
        return
    would = "would be kept" if dry_run else "are kept"
    note(f"{done.new} lines of {invoice.name} {would}, {done.known} were known.")
    note(f"It asks {dollars(billed)} in all.")
    if finer:
        note(f"{finer} of its amounts are finer than a micro-dollar: they are kept exactly.")


@group.command()
def withdraw(
    invoice: Annotated[int, typer.Argument(min=1, max=MOST, help="As `wan invoice list` says.")],
    reason: Why,
) -> None:
    """Let an invoice count no more: it was imported by mistake, or replaced by the provider.

    Its lines are kept. They may be imported again, in the same file or in another.
    """
    withdraw_invoice(
        this_studio().ledger,
        invoice,
        decided_by=whoever(),
        reason=given(reason),
        now=datetime.now(UTC),
    )
    note(f"Invoice {invoice} counts no more.")


@group.command(name="list")
def list_command(as_json: AsJson = False) -> None:
    """List what was imported, when and by whom."""
    found = [
        {
            "id": each.id,
            "imported_at": each.imported_at,
            "name": each.name,
            "layout": each.layout,
            "lines": each.lines,
            "billed_usd": usd(each.billed_micro_usd),
            "sha256": each.sha256,
            "imported_by": each.imported_by,
            "withdrawn_by": each.withdrawn_by,
            "withdrawn_because": each.withdrawn_because,
        }
        for each in known_invoices(this_studio().ledger)
    ]
    emit(found, INVOICES, as_json=as_json, empty="No invoice was imported yet.")


@group.command(name="reconcile")
def reconcile_command(
    period: Annotated[str, typer.Argument(help="A month or a day (UTC), such as 2026-11.")],
    by: Annotated[Literal["class", "day"], typer.Option(help="A row a class, or a day of one.")] = (
        "class"
    ),
    cost: Annotated[
        Basis, typer.Option(help="What is to be paid, or with prepayments spread over their use.")
    ] = "billed",
    tolerance: Annotated[
        str, typer.Option(help="In percent of what a class costs; more fails the command.")
    ] = "1",
    as_json: AsJson = False,
) -> None:
    """Compare what is asked for a period with what was charged, and say why they differ.

    Videos, overheads, idle time and differences add up to the invoice. Fails (1) when a class
    differs by more than the tolerance, or more than that is asked for nothing that is known.
    """
    share = understood(tolerance, _percentage, "--tolerance") / 100
    wanted = understood(period, Period.parse, "PERIOD")
    found = reconciliation(this_studio(), wanted, cost)
    beyond = found.beyond(share)
    if as_json:
        print_json({**_report(found), "within_tolerance": not beyond})
    else:
        _show(found, found.rows if by == "class" else found.days)
        for row in beyond:
            note(f"{_subject(row)} differs by more than {tolerance} %.", "yellow")
    if beyond:
        raise typer.Exit(BEYOND)


def _percentage(words: str) -> Decimal:
    percent = exact_decimal(words)
    if percent < 0:
        raise ValueError(f"{words} is below zero")
    return percent


def _show(found: Reconciliation, rows: tuple[Row, ...]) -> None:
    if not rows:
        note("Nothing was asked or charged in this period.")
        return
    columns = AMOUNTS if rows[0].day is None else (Column("day", "Day (UTC)"), *AMOUNTS)
    print_table(console(), [_record(row) for row in rows], columns)
    spent = sum(row.spent.total for row in rows)
    console().print(
        f"\nInvoiced {dollars(found.asked)} = charged {dollars(spent)} "
        f"+ differences {dollars(found.asked - spent)}."
    )
    for words in _remarks(found):
        note(words)


def _remarks(found: Reconciliation) -> Iterator[str]:
    if not found.lines:
        yield "No invoice about this period was imported."
    if found.rest:
        yield f"The invoices ask {found.rest:f} USD more, in parts finer than a micro-dollar."
    if found.outside_micro_usd:
        outside = dollars(found.outside_micro_usd)
        yield f"Lines across the border of the period ask {outside} for days outside of it."


def _report(found: Reconciliation) -> dict[str, Any]:
    return {
        "first": f"{found.period.first}",
        "last": f"{found.period.last}",
        "cost": found.basis,
        "lines": found.lines,
        "invoiced_usd": usd(found.asked),
        "finer_usd": f"{found.rest:f}",
        "outside_usd": usd(found.outside_micro_usd),
        "rows": [_record(row) for row in found.rows],
        "days": [_record(row) for row in found.days],
    }


def _record(row: Row) -> dict[str, Any]:
    return {
        "day": row.day and f"{row.day}",
        "kind": row.subject.kind,
        "name": row.subject.name,
        "subject": _subject(row),
        "invoiced_usd": usd(row.billed.micro_usd),
        "invoiced_gpu_hours": _hours(row.billed.gpu_microseconds),
        "charged_gpu_hours": _hours(row.spent.gpu_microseconds),
        "video_usd": usd(row.spent.video),
        "overhead_usd": usd(sum(row.spent.overheads.values())),
        "overheads_usd": {part: usd(amount) for part, amount in row.spent.overheads.items()},
        "idle_usd": usd(row.spent.idle),
        "difference_usd": usd(row.difference),
        "differences": [_difference(each) for each in row.differences],
        "why": "; ".join(
            f"{each.cause} {dollars(each.micro_usd)}: {each.words}" for each in row.differences
        ),
    }


def _difference(each: Difference) -> dict[str, Any]:
    return {"cause": each.cause, "usd": usd(each.micro_usd), "words": each.words}


def _subject(row: Row) -> str:
    kind, name = row.subject.kind, row.subject.name
    return name if kind == "gpu" else f"{kind}: {name}" if name else kind


def _hours(gpu_microseconds: int) -> Decimal:
    return round(Decimal(gpu_microseconds) / MICROSECONDS_PER_HOUR, 6)


def _finer(invoice: Invoice) -> int:
    """Lines whose amounts have more digits than the ledger's."""
    return sum(1 for line in invoice.lines if line.billed.rest or line.effective.rest)
