import getpass
import json

import pytest

from tests.cli.invoking import Wan
from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.studio.reviews import prompt_id

BRACKETS = "a ((red)) ball " + "slowly " * 80 + "rising"
ID = prompt_id(BRACKETS)


@pytest.fixture
def held(quick_project: Project) -> Project:
    """An edition of which one prompt is held."""
    quick_project.campaign(prompts=[BRACKETS, "a blue box falling"])
    render_edition(quick_project.studio())
    return quick_project


def counts(wan: Wan) -> dict[str, int]:
    return json.loads(wan("plan", "balls", "--edition", "one", "--json").stdout)["counts"]


def test_held_prompts_are_listed_with_reasons(wan: Wan, held: Project):
    said = wan("prompts").stdout
    assert said.splitlines()[0].split() == ["Prompt", "Tenant", "Shots", "Editions", "Why", "Text"]
    assert said.splitlines()[1].startswith(f"{ID} ")
    assert "balls/one" in said
    assert "contains nested brackets" in said
    (found,) = json.loads(wan("prompts", "--json").stdout)
    assert found == {
        "id": ID,
        "tenant": "demo",
        "text": BRACKETS,
        "reason": "The text is longer than 512 characters and contains nested brackets.",
        "editions": ["balls/one"],
        "shots": 1,
    }
    assert wan("prompts", "--tenant", "small", "--json").stdout == "[]\n"


def test_a_prompt_is_released_on_record(wan: Wan, held: Project):
    said = wan("prompts", "release", ID, "--by", "mira", "--note", "as briefed")
    assert said.stdout == f"Prompt {ID} of tenant demo is released by mira.\n"
    assert counts(wan) == {"rendered": 1, "kept": 1}
    assert "No prompt waits for a decision." in wan("prompts").stderr
    (made,) = json.loads(wan("prompts", "--decided", "--json").stdout)
    assert (made["id"], made["tenant"], made["text"]) == (ID, "demo", BRACKETS)
    assert (made["decision"], made["decided_by"], made["note"]) == (
        "released",
        "mira",
        "as briefed",
    )
    assert made["decided_at"].endswith("+00:00")
    assert "released" in wan("prompts", "--decided").stdout


def test_a_prompt_is_rejected_with_a_reason_that_producers_read(wan: Wan, held: Project):
    said = wan("prompts", "reject", ID[:6], "--by", "mira", "--note", "Not in June.", "--json")
    assert json.loads(said.stdout)["decision"] == "rejected"
    assert counts(wan) == {"rejected": 1, "kept": 1}
    assert "mira rejected the prompt: Not in June." in wan("plan", "balls").stdout


@pytest.mark.parametrize("command", ["release", "reject"])
def test_a_dry_run_decides_nothing(wan: Wan, held: Project, command: str):
    said = wan("prompts", command, ID, "--dry-run", "--json")
    assert json.loads(said.stdout)["dry_run"] is True
    assert "would be" in wan("prompts", command, ID, "--dry-run").stdout
    assert counts(wan) == {"held": 1, "kept": 1}
    assert json.loads(wan("prompts", "--decided", "--json").stdout) == []


def test_who_decides_is_the_user_of_the_system_unless_told(wan: Wan, held: Project):
    made = json.loads(wan("prompts", "release", ID, "--json", LOGNAME="zoe").stdout)
    assert (made["decided_by"], made["dry_run"]) == ("zoe", False)


def test_a_system_that_knows_nobody_wants_a_name(
    wan: Wan, held: Project, monkeypatch: pytest.MonkeyPatch
):
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", nobody)
    said = wan("prompts", "release", ID)
    assert said.exit_code == 1
    assert "Say so with --by." in said.stderr
    said = wan("quota", "set", "demo", "5", "shots", "--reason", "a trial")
    assert said.exit_code == 1
    assert "Set the environment variable LOGNAME" in said.stderr
