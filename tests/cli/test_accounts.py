import json

import pytest

from tests.cli.invoking import Wan
from tests.support.project import Project
from wan_pipelines.studio.planning import admit


def test_users_are_listed_with_what_is_left(wan: Wan, quick_project: Project):
    quick_project.campaign(tenant="small")
    admit(quick_project.studio(), "balls", "one")
    heading, row = wan("quota", "--tenant", "small").stdout.splitlines()
    assert heading.split()[:7] == ["Tenant", "User", "Plan", "Day", "Used", "Limit", "Left"]
    assert row.split()[:3] == ["small", "mira", "free"]
    assert row.split()[4:7] == ["2", "5", "3"]


def test_a_user_who_never_asked_is_told_the_limits(wan: Wan):
    said = wan("quota", "--all-tenants", "--user", "zoe", "--json")
    assert [(left["tenant"], left["used"], left["left"]) for left in json.loads(said.stdout)] == [
        ("demo", 0, None),
        ("small", 0, 5),
    ]


def test_json_has_stable_names(wan: Wan):
    (left,) = json.loads(wan("quota", "--tenant", "small", "--user", "zoe", "--json").stdout)
    assert left.keys() == {
        "tenant",
        "user",
        "plan",
        "day",
        "time_zone",
        "unit",
        "per",
        "low",
        "limit",
        "used",
        "left",
        "resets_at",
    }


def test_before_anybody_asked_it_is_told_how_to_see_limits(wan: Wan):
    assert "--user" in wan("quota").stderr


def test_a_top_up_is_granted_shown_and_kept(wan: Wan, quick_project: Project):
    more = ("quota", "grant", "small", "3", "shots", "--user", "zoe", "--until", "2999-12-31")
    said = wan(*more, "--reason", "launch week", "--dry-run")
    assert "Would be decided for zoe: 3 shots more per user and day until 2999-12-31" in said.stderr
    assert left_of(wan, "zoe") == 5
    assert wan(*more, "--reason", "launch week").exit_code == 0
    assert (left_of(wan, "zoe"), left_of(wan, "mira")) == (8, 5)
    (kept,) = json.loads(wan("quota", "changes", "small", "--json").stdout)
    assert (kept["kind"], kept["amount"], kept["unit"], kept["user"], kept["reason"]) == (
        "grant",
        3,
        "shots",
        "zoe",
        "launch week",
    )


def test_a_limit_of_money_binds_a_month(wan: Wan, quick_project: Project):
    quick_project.campaign(tenant="small")
    decided = wan("quota", "set", "small", "0.25", "usd", "--per", "month", "--reason", "trial")
    assert decided.exit_code == 0
    assert "0.250000" in wan("quota", "--all-tenants").stdout, "before anybody asked"
    admit(quick_project.studio(), "balls", "one")
    rows = json.loads(wan("quota", "--tenant", "small", "--json").stdout)
    (money,) = [row for row in rows if row["unit"] == "usd"]
    assert (money["user"], money["per"], money["limit"]) == (None, "month", 0.25)
    assert 0 < money["used"] == round(0.25 - money["left"], 6)
    day = wan("quota", "grant", "small", "5", "usd", "--per", "day", "--reason", "launch")
    assert "There is no such limit to add to" in day.stderr
    assert wan("quota", "set", "small", "unlimited", "usd", "--per", "month", "--reason", "paid")
    rows = json.loads(wan("quota", "--tenant", "small", "--json").stdout)
    assert [row["unit"] for row in rows] == ["shots"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("set", "small", "many", "shots"), "'many' is no amount of shots"),
        (("set", "small", "1.5", "shots"), "a whole one of shots"),
        (("grant", "small", "-1", "usd"), "Write a number from 0 on"),
        (("grant", "small", "unlimited", "usd"), "is no amount of usd"),
        (("grant", "smal", "1", "usd"), "Did you mean 'small'"),
        (("grant", "small", "1", "usd", "--per", "day", "--user", "zoe"), "of the whole tenant"),
        (("grant", "small", "1", "usd", "--until", "2001-01-01"), "expire before it begins"),
    ],
)
def test_a_decision_that_makes_no_sense_says_what_would(
    wan: Wan, words: tuple[str, ...], told: str
):
    said = (
        wan("quota", words[0], "--reason", "why not", "--", *words[1:])
        if "-1" in words
        else (wan("quota", *words, "--reason", "why not"))
    )
    assert said.exit_code == 1
    assert told in " ".join(said.stderr.split())


def left_of(wan: Wan, user: str) -> int:
    (row,) = json.loads(wan("quota", "--tenant", "small", "--user", user, "--json").stdout)
    return row["left"]
