"""`wan prompts`: what screening held, and a person's decision about it."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from wan_pipelines.cli.campaigns import DryRun
from wan_pipelines.cli.decisions import whoever
from wan_pipelines.cli.output import AsJson, console, emit, examples, print_json
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.cli.tenants import AllTenants, TenantName, asked
from wan_pipelines.ledger.reviews import Review, Ruling, all_reviews, digest_of, review
from wan_pipelines.ledger.whose import Asked
from wan_pipelines.studio.reviews import HeldPrompt, held_prompts, prompt_id, prompt_named
from wan_pipelines.studio.studio import Studio

HELD_COLUMNS = (
    Column("id", "Prompt"),
    Column("tenant", "Tenant"),
    Column("shots", "Shots", numeric=True),
    Column("editions", "Editions"),
    Column("reason", "Why"),
    Column("text", "Text", beneath=True),
)
DECIDED_COLUMNS = (
    Column("id", "Prompt"),
    Column("tenant", "Tenant"),
    Column("decision", "Decision"),
    Column("decided_by", "By"),
    Column("decided_at", "When (UTC)"),
    Column("note", "Note"),
    Column("text", "Text", beneath=True),
)

Prompt = Annotated[str, typer.Argument(help="Id of a prompt, or its beginning.")]
By = Annotated[str | None, typer.Option(help="Who decides; empty: this user of the system.")]
Note = Annotated[str, typer.Option(help="Why; producers read it.")]

prompts = typer.Typer(
    help="List prompts that screening holds; release or reject them.",
    epilog=examples(
        "wan prompts",
        'wan prompts release 3f9c0a1b --note "as briefed"',
        "wan prompts reject 3f9c0a1b --by mira --dry-run",
        "wan prompts --decided --json",
    ),
)


def register(app: typer.Typer) -> None:
    app.add_typer(prompts, name="prompts", invoke_without_command=True)


@prompts.callback()
def list_prompts(
    context: typer.Context,
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    decided: Annotated[bool, typer.Option("--decided", help="List decisions instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """List prompts that screening holds; release or reject them."""
    if context.invoked_subcommand is not None:
        return
    studio = this_studio()
    whose = asked(studio, tenant, all_tenants=all_tenants)
    if decided:
        records = [_decided(each) for each in all_reviews(studio.ledger, whose)]
        emit(records, DECIDED_COLUMNS, as_json=as_json, empty="Nothing was decided yet.")
        return
    records = [_held(each) for each in held_prompts(studio, whose)]
    if not as_json:
        records = [{**each, "editions": ", ".join(each["editions"])} for each in records]
    emit(records, HELD_COLUMNS, as_json=as_json, empty="No prompt waits for a decision.")


@prompts.command(epilog=examples('wan prompts release 3f9c0a1b --note "as briefed"'))
def release(
    prompt: Prompt,
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    by: By = None,
    note: Note = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let a held prompt be rendered, by the next launch of the campaigns that ask for it."""
    studio = this_studio()
    whose = asked(studio, tenant, all_tenants=all_tenants)
    _decide(studio, "released", prompt, whose, by, note, dry_run=dry_run, as_json=as_json)


@prompts.command(epilog=examples("wan prompts reject 3f9c0a1b --by mira"))
def reject(
    prompt: Prompt,
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    by: By = None,
    note: Note = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Never render a prompt, unless it is released later."""
    studio = this_studio()
    whose = asked(studio, tenant, all_tenants=all_tenants)
    _decide(studio, "rejected", prompt, whose, by, note, dry_run=dry_run, as_json=as_json)


def _decide(
    studio: Studio,
    decision: Ruling,
    prompt: str,
    whose: Asked,
    by: str | None,
    note: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    owner, text = prompt_named(studio, prompt, whose)
    person, now = by or whoever("Say so with --by."), datetime.now(UTC)
    if dry_run:
        made = Review(owner, digest_of(text), text, decision, person, note, now)
    else:
        made = review(studio.ledger, owner, text, decision, decided_by=person, note=note, now=now)
    if as_json:
        print_json({**_decided(made), "dry_run": dry_run})
        return
    words = "would be" if dry_run else "is"
    console().print(f"Prompt {prompt_id(text)} of tenant {owner} {words} {decision} by {person}.")


def _held(prompt: HeldPrompt) -> dict[str, Any]:
    return {"id": prompt.id, **asdict(prompt)}


def _decided(made: Review) -> dict[str, Any]:
    return {"id": prompt_id(made.text), **asdict(made)}
