"""Whose data a command shows: one tenant's, unless all are asked for by name."""

from typing import Annotated

import typer

from wan_pipelines.ledger.whose import Asked, House
from wan_pipelines.studio.studio import Studio

TenantName = Annotated[
    str | None,
    typer.Option("--tenant", help="Whose; empty: the environment's.", show_default=False),
]
AllTenants = Annotated[
    bool, typer.Option("--all-tenants", help="Of all tenants: for those who run the house.")
]


def asked(studio: Studio, tenant: str | None, *, all_tenants: bool) -> Asked:
    """Whom a person asks about; who says nothing asks about the tenant who pays for prompts.

    InputError for a tenant that the environment does not know: nothing would be told of it.
    """
    if tenant is not None and all_tenants:
        raise typer.BadParameter("say one or the other", param_hint="--tenant, --all-tenants")
    if all_tenants:
        return House("operator")
    if tenant is None:
        return studio.settings.prompts.tenant
    studio.settings.tenant(tenant)
    return tenant
