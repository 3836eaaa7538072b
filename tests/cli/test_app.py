import pytest
from typer.main import get_command

from tests.cli.invoking import Wan
from tests.support.project import Project
from wan_pipelines import __version__
from wan_pipelines.cli import campaigns
from wan_pipelines.cli.app import app

COMMANDS = sorted(
    name
    for name, command in get_command(app).commands.items()  # pyright: ignore
    if not command.hidden
)


def test_the_commands_are_those_that_the_documentation_names():
    assert COMMANDS == [
        "budget",
        "campaigns",
        "charges",
        "cluster",
        "costs",
        "demo",
        "dev",
        "doctor",
        "engine",
        "exporter",
        "forecasts",
        "idle",
        "invoice",
        "launch",
        "ledger",
        "line",
        "lineage",
        "migrate",
        "plan",
        "prices",
        "prompts",
        "quota",
        "render",
        "report",
        "run",
        "simulate",
        "videos",
        "weights",
        "workers",
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(wan: Wan, command: str):
    said = wan(command, "--help")
    assert said.exit_code == 0
    assert "Examples:" in said.stdout
    assert f"wan {command}" in said.stdout.partition("Examples:")[2]
    assert max(map(len, said.stdout.splitlines())) <= 80


def test_arguments_are_explained_too(wan: Wan):
    assert "Name of a folder of assets/campaigns" in wan("plan", "--help").stdout


def test_the_version_is_told(wan: Wan):
    assert wan("--version").stdout == f"wan_pipelines {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("plan",),
        ("plan", "balls", "--nope"),
        ("render", "a ball", "--seed", "many"),
        ("render", "a ball", "--seed", "-1"),
        ("costs", "--by", "colour"),
        ("costs", "--run", "run", "--by", "tier"),
        ("dev", "--port", "http"),
        ("quota", "--user", "\udcff"),
    ],
)
def test_a_wrong_usage_ends_with_2_and_says_so_on_standard_error(wan: Wan, arguments: tuple[str]):
    said = wan(*arguments)
    assert (said.exit_code, said.stdout) == (2, "")
    assert "Usage: wan" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan", "bals"), "Did you mean 'balls'?"),
        (("plan", "../balls"), "no campaign"),
        (("plan", "balls", "--edition", "../x"), "cannot be the key of an edition"),
        (("plan", "balls", "--only", "a-red-ball"), "Did you mean 'a-red-ball-rising--square--s1'"),
        (("run", "balls", "--only", "a-red-ball"), "Did you mean 'a-red-ball-rising--square--s1'"),
        (("run", "bals"), "Did you mean 'balls'?"),
        (("run", "balls", "--edition", "a/b", "--json"), "cannot be the key of an edition"),
        (("demo",), "no campaign 'demo'"),
        (("render", "x" * 600, "--release", "sample"), "Shorten the prompt"),
        (("render", "a ball", "--release", "smaple"), "Did you mean 'sample'?"),
        (("render", "a ball", "--release", "sample", "--shape", "round"), "landscape"),
        (("quota", "--tenant", "dem"), "Did you mean 'demo'?"),
        (("prompts", "release", "abc"), "no prompt 'abc' is held"),
        (("lineage", "nothing"), "wan videos --json"),
    ],
)
def test_what_a_person_can_put_right_is_one_sentence_and_ends_with_1(
    wan: Wan, arguments: tuple[str], words: str
):
    said = wan(*arguments)
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr.startswith("Error: ")
    assert words in said.stderr
    assert said.stderr.count("\n") == 1


def test_yaml_that_cannot_be_read_is_told_with_file_and_line(wan: Wan, quick_project: Project):
    path = quick_project.campaign(fps="many")
    said = wan("plan", "balls")
    assert said.exit_code == 1
    assert f"{path}:" in said.stderr
    assert "`attributes.fps` is 'many'" in said.stderr


def test_an_environment_that_is_not_there_is_told(wan: Wan):
    said = wan("videos", WAN_PIPELINES_ENV="production")
    assert said.exit_code == 1
    assert "resources/production/defs.yaml" in said.stderr


def test_ctrl_c_is_answered_with_what_is_kept(wan: Wan, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(campaigns, "preview", interrupted)
    said = wan("plan", "balls")
    assert (said.exit_code, said.stdout) == (130, "")
    assert "What was accepted is kept" in said.stderr


def test_a_mistake_of_ours_is_not_hidden(wan: Wan, monkeypatch: pytest.MonkeyPatch):
    def mistaken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(campaigns, "preview", mistaken)
    with pytest.raises(ZeroDivisionError):
        wan("plan", "balls")
