"""Names, paths and files that somebody wrote to do harm, or by accident.

Each is refused by name before anything is admitted, rendered or published.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.quick_project import quick_copy
from tests.survival.scenes import PROMPTS, Scene
from wan_pipelines.errors import InputError, WanError
from wan_pipelines.ledger.editions import all_editions
from wan_pipelines.ledger.whose import House
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio import planning
from wan_pipelines.studio.prompts import PromptOrder, render_prompt
from wan_pipelines.studio.studio import Studio, open_studio

ENDLESS = "a" * 5000
PATHS = ["../balls", "../../../etc", "/etc", "balls/", "./balls", "..", ".", "", "a\\b"]
NOT_NAMES = [*PATHS, "balls\n", "bälls", "ba lls", "b\x00lls", "b\x1blls", "\u202eballs", ENDLESS]
GIB = 1 << 30


@pytest.fixture(scope="module")
def untouched(
    tmp_path_factory: pytest.TempPathFactory, no_weights: Path, migrated_ledger: Path
) -> Studio:
    """A studio that nobody gets to do anything."""
    return quick_copy(tmp_path_factory.mktemp("untouched"), no_weights, migrated_ledger).studio()


def assert_refused(studio: Studio, ask: Callable[[], object]) -> str:
    """The error's words; nothing was written for it anywhere."""
    with pytest.raises(WanError) as caught:
        ask()
    assert not all_editions(studio.ledger, House("operator"))
    assert not list(studio.store.list("tenants/"))
    words = str(caught.value)
    assert len(words) < 1000
    assert words.isprintable()
    return words


@pytest.mark.parametrize("name", NOT_NAMES, ids=ascii)
def test_campaigns_that_are_no_names(untouched: Studio, name: str) -> None:
    words = assert_refused(untouched, lambda: planning.admit(untouched, name, "one"))
    assert "there is no campaign" in words


@pytest.mark.parametrize("key", [*NOT_NAMES, "a...b", "-a", "a" * 101], ids=ascii)
def test_editions_that_are_no_names(untouched: Studio, key: str) -> None:
    words = assert_refused(untouched, lambda: planning.admit(untouched, "balls", key))
    assert "cannot be the key of an edition" in words


@pytest.mark.parametrize("field", ["tenant", "user", "release", "shape", "tier"])
@pytest.mark.parametrize("value", ["../demo", "demo\n", "d\x00mo", "демо", ENDLESS], ids=ascii)
def test_prompts_in_the_name_of_others(untouched: Studio, field: str, value: str) -> None:
    order = PromptOrder(prompt="a red ball", release="sample", tenant="demo", user="mira")
    order = replace(order, **{field: value})
    run = RunReference("run", "step")
    assert_refused(untouched, lambda: render_prompt(untouched, order, run, say=print))


@pytest.mark.parametrize("field", ["tenant", "user", "release", "tier", "prompts_file"])
@pytest.mark.parametrize("value", ["../demo", "d\x00mo", "/etc/passwd", ENDLESS], ids=ascii)
def test_briefs_with_paths_for_names(scene: Scene, field: str, value: str) -> None:
    prompts = None if field == "prompts_file" else ["a red ball"]
    brief = scene.project.campaign("paths", **{"prompts": prompts, field: value})
    studio = scene.studio
    words = assert_refused(studio, lambda: planning.admit(studio, "paths", "one"))
    assert field in words or str(brief) in words


@pytest.mark.parametrize(
    "attributes",
    [
        "prompts: &a [a ball]\n  seeds: *a",
        "prompts: " + "[" * 200 + "]" * 200,
        "prompts: !!python/object/apply:os.system ['true']",
        "prompts: [a ball]\n  prompts: [a box]",
        "prompts: [a ball]\n  ? [a, b]\n  : c",
        'prompts: ["a \\ud800 ball"]',
        'prompts: ["a \\0 ball"]',
        "prompts: [a ball]\n  variants: 1000000000000",
        "prompts: ['{a}{b}{c}']\n  variables: "
        + str({k: [str(n) for n in range(200)] for k in "abc"}),
        "prompts: [a ball]\n  budget_usd: .nan",
        "prompts: [a ball]\n  budget_usd: 1e999",
        "prompts: [a ball]\n  seeds: [.inf]",
        "prompts: [a ball]\n  seeds: [2025-13-45]",
    ],
    ids=lambda text: text[:40],
)
def test_yaml_that_explodes(scene: Scene, attributes: str) -> None:
    brief = scene.project.campaign()
    head = brief.read_text().partition("  prompts:")[0]
    brief.write_text(f"{head}  {attributes}\n")
    studio = scene.studio
    words = assert_refused(studio, lambda: planning.admit(studio, "balls", "one"))
    assert str(brief) in words


def test_a_table_of_prompts_that_is_endless(scene: Scene) -> None:
    brief = scene.project.campaign(prompts=None, prompts_file="prompts.csv")
    with brief.with_name("prompts.csv").open("wb") as file:
        file.write(b"prompt\n")
        file.truncate(20 * GIB)
    studio = scene.studio
    words = assert_refused(studio, lambda: planning.admit(studio, "balls", "one"))
    assert "prompts.csv: The file is larger than" in words


@pytest.mark.parametrize("kind", ["file", "folder", "device", "loop"])
def test_a_table_of_prompts_that_leads_elsewhere(scene: Scene, tmp_path: Path, kind: str) -> None:
    """What a brief may read lies in its folder: a link could show a secret as a prompt."""
    brief = scene.project.campaign(prompts=None, prompts_file="prompts.csv")
    link = brief.with_name("prompts.csv")
    (tmp_path / "secret.csv").write_text("prompt\nthe password\n")
    targets = {"file": tmp_path / "secret.csv", "folder": tmp_path, "device": Path("/dev/zero")}
    link.symlink_to(targets.get(kind, link))
    studio = scene.studio
    words = assert_refused(studio, lambda: planning.admit(studio, "balls", "one"))
    assert "password" not in words
    assert str(brief) in words


@pytest.mark.parametrize("prompt", ["a\x07ball", "a\x1b[31mball", "a\u202eball", "a\nball"])
def test_prompts_with_invisible_characters_are_rejected(scene: Scene, prompt: str) -> None:
    scene.project.campaign(prompts=[prompt, PROMPTS[0]])
    plan = planning.admit(scene.studio, "balls", "one")
    assert [shot.state for shot in plan.shots] == ["rejected", "admitted"]
    scene.run()
    scene.check()


def test_an_environment_of_another_name(scene: Scene) -> None:
    with pytest.raises(InputError, match="There is no such file"):
        open_studio(scene.project.root, scene.project.state, "../../x")
