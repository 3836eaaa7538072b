import json

from tests.cli.invoking import Wan
from tests.support.project import Project
from wan_pipelines.studio.planning import admit


def test_users_are_listed_with_what_is_left(wan: Wan, quick_project: Project):
    quick_project.campaign(tenant="small")
    admit(quick_project.studio(), "balls", "one")
    heading, row = wan("quota").stdout.splitlines()
    assert heading.split()[:7] == ["Tenant", "User", "Plan", "Day", "Used", "Limit", "Left"]
    assert row.split()[:3] == ["small", "mira", "free"]
    assert row.split()[4:7] == ["2", "5", "3"]


def test_a_user_who_never_asked_is_told_the_limits(wan: Wan):
    said = wan("quota", "--user", "zoe", "--json")
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
        "limit",
        "used",
        "left",
        "resets_at",
    }


def test_before_anybody_asked_it_is_told_how_to_see_limits(wan: Wan):
    assert "--user" in wan("quota").stderr
