"""No command shows one tenant what is another's, unless it is asked for all by name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.invoking import Wan, invoker
from tests.isolation.surface import commands
from tests.support.quick_project import quick_copy
from tests.support.renders import render_edition
from wan_pipelines.cli import studios
from wan_pipelines.cli.app import app
from wan_pipelines.ledger.reports import videos

SECRET = "an owl that nobody else may know of"
HELD = "a ((held)) owl " + "slowly " * 80
CAMPAIGN = "theirs"

SHOWS: dict[str, tuple[str, ...]] = {
    "budget": (),
    "budget notices": (),
    "costs": (),
    "forecasts": ("--editions",),
    "prompts": (),
    "quota": ("--user", "zoe"),
    "report": ("--by", "shot"),
    "videos": (),
    "workers": (),
}
"""Commands that show what tenants have, one of which is named or implied, and how to ask."""
NAMES_ITS_TENANT = {
    "lineage": ("TAKE",),
    "prompts reject": ("PROMPT", "--dry-run"),
    "prompts release": ("PROMPT", "--dry-run"),
    "quota changes": ("small",),
}
BY_BRIEF = {"campaigns", "demo", "launch", "plan", "run"}
"""Of a campaign, whose brief says who pays; campaigns are files of those who run the house."""
ORDERS = {"render"}
"""Prompts, on the account of a tenant that is named or implied."""
OPERATORS = {
    "charges corrections",
    "charges rerate",
    "charges waive",
    "dev",
    "doctor",
    "exporter",
    "idle charge",
    "idle",
    "invoice import",
    "invoice list",
    "invoice reconcile",
    "invoice withdraw",
    "ledger audit",
    "ledger backup",
    "ledger restore",
    "line",
    "migrate",
    "quota grant",
    "quota set",
    "simulate",
}
"""For those who run the house, and hold its keys."""
WITHOUT_TENANTS = ("cluster", "engine", "engines", "prices", "weights")


@pytest.fixture(scope="module")
def theirs(
    tmp_path_factory: pytest.TempPathFactory, no_weights: Path, migrated_ledger: Path
) -> Iterator[tuple[Wan, tuple[str, ...]]]:
    """`wan` where tenant demo, who pays for prompts, has nothing, and tenant small has secrets.

    The studio is opened once for all commands: none of them changes anything.
    """
    project = quick_copy(tmp_path_factory.mktemp("commands"), no_weights, migrated_ledger)
    project.campaign(CAMPAIGN, tenant="small", prompts=[SECRET, HELD], budget_usd="7.77")
    studio = project.studio()
    render_edition(studio, campaign=CAMPAIGN)
    (video,) = videos(studio.ledger, "small")
    secrets = (SECRET, HELD, video.take_id, video.uri, CAMPAIGN, "7.77")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studios, "open_studio", lambda *_: studio)
        yield invoker(project), secrets


def test_every_command_is_accounted_for():
    known = {*SHOWS, *NAMES_ITS_TENANT, *BY_BRIEF, *ORDERS, *OPERATORS}
    found = {name for name in commands(app) if not name.startswith(WITHOUT_TENANTS)}
    assert found == known


@pytest.mark.parametrize("name", SHOWS)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_tenant_is_shown_its_own(
    theirs: tuple[Wan, tuple[str, ...]], name: str, form: tuple[str, ...]
):
    wan, secrets = theirs
    for whose in ((), ("--tenant", "demo")):
        told = wan(*name.split(), *SHOWS[name], *whose, *form)
        assert told.exit_code == 0
        assert not [secret for secret in secrets if secret in told.stdout]


@pytest.mark.parametrize("name", ["costs", "forecasts", "prompts", "quota", "videos"])
def test_all_are_shown_to_who_asks_for_all(theirs: tuple[Wan, tuple[str, ...]], name: str):
    wan, _ = theirs
    told = wan(*name.split(), *SHOWS[name], "--all-tenants", "--json").stdout
    assert '"small"' in told
    assert "one or the other" in wan(name, "--tenant", "demo", "--all-tenants").stderr


def test_what_another_has_cannot_be_named(theirs: tuple[Wan, tuple[str, ...]]):
    wan, (secret, held, take, uri, *_) = theirs
    for name in (take, uri):
        told = wan("lineage", name)
        assert told.exit_code == 1
        assert "is no video of tenant demo" in told.stderr
    for verb in ("release", "reject"):
        told = wan("prompts", verb, "", "--dry-run")
        assert told.exit_code == 1
    assert secret not in wan("quota", "changes", "demo").stdout
    assert held not in wan("quota", "changes", "demo").stdout


@pytest.mark.parametrize("tenant", ["", "../small", "small/", "SMALL", "smаll", "%", "small ", "*"])
def test_names_that_look_like_anothers_are_nobodys(
    theirs: tuple[Wan, tuple[str, ...]], tenant: str
):
    wan, secrets = theirs
    for name in ("videos", "costs", "forecasts", "prompts"):
        told = wan(name, *SHOWS[name], "--tenant", tenant, "--json")
        assert not [secret for secret in secrets if secret in told.stdout]
    told = wan("render", "a red ball", "--tenant", tenant, "--dry-run")
    assert told.exit_code == (0 if tenant == "" else 1)
