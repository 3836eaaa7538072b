import json
from datetime import UTC, datetime

from tests.cli.invoking import Wan
from tests.support.project import ENVIRONMENT, Project
from wan_pipelines.studio.budgets import reached
from wan_pipelines.studio.planning import admit

DEAR = {"laptop-cpu": {**ENVIRONMENT["gpu_classes"]["laptop-cpu"], "price_usd_per_hour": "7200"}}
BIG, SMALL = {"usd": "1000000"}, {"usd": "0.01", "notify_at": ["0.5"], "finish_at": None}


def budgeted(project: Project) -> None:
    tenants = {"demo": {**ENVIRONMENT["tenants"]["demo"], "budget_per_month": BIG}}
    project.environment(gpu_classes=DEAR, tenants={**ENVIRONMENT["tenants"], **tenants})
    project.campaign(budget_per_month=SMALL, budget_usd="500000")
    admit(project.studio(), "balls", "one")


def test_budgets_are_shown_with_what_is_gone(wan: Wan, quick_project: Project):
    budgeted(quick_project)
    found = json.loads(wan("budget", "--tenant", "demo", "--json").stdout)
    assert [each["of"] for each in found] == [
        "tenant demo",
        "campaign balls",
        "edition balls/one",
    ]
    tenant, campaign, edition = found
    assert tenant["reserved_usd"] == campaign["reserved_usd"] == edition["reserved_usd"] > 0.01
    assert (tenant["left_usd"] > 900_000, campaign["left_usd"]) == (True, None)
    assert campaign["reached"] == "notify at 0.005000"
    assert edition["month"] is None
    assert campaign["month"] == tenant["month"] != ""


def test_nobody_elses_budgets_are_shown(wan: Wan, quick_project: Project):
    budgeted(quick_project)
    assert json.loads(wan("budget", "--tenant", "small", "--json").stdout) == []
    assert "Nothing has a budget" in wan("budget", "--tenant", "small").stderr
    assert len(json.loads(wan("budget", "--all-tenants", "--json").stdout)) == 3
    assert wan("budget", "--tenant", "small", "--all-tenants").exit_code == 2


def test_what_was_told_is_listed(wan: Wan, quick_project: Project):
    budgeted(quick_project)
    assert "No part of a budget was reached yet." in wan("budget", "notices").stderr
    (told,) = reached(quick_project.studio(), datetime.now(UTC))
    (listed,) = json.loads(wan("budget", "notices", "--json").stdout)
    assert (listed["action"], listed["told"]) == ("notify", told.told)
