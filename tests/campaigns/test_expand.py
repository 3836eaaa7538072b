import random
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.campaigns.briefs import RELEASE, brief, write_brief
from wan_pipelines.campaigns.brief import read_brief
from wan_pipelines.campaigns.expand import check_renditions, expand
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.errors import InputError

NOWHERE = Path("nowhere")


def shots(**fields: Any) -> tuple[Shot, ...]:
    return expand(brief(**fields), RELEASE, NOWHERE)


def names(**fields: Any) -> list[str]:
    return [shot.name for shot in shots(**fields)]


def prompts(**fields: Any) -> list[str]:
    return [shot.request.prompt for shot in shots(**fields)]


def test_one_prompt_is_one_shot_with_what_the_release_recommends() -> None:
    (shot,) = shots(seeds=[7])
    assert shot.name == "a-red-ball--landscape--s7"
    assert (shot.tier, shot.fps, shot.renditions) == ("standard", 8, ("h264",))
    request = shot.request
    assert request.negative_prompt == "blurry"
    assert (request.width, request.height, request.frames) == (96, 64, 17)
    assert request.sampling == RELEASE.sampling("standard")
    assert (request.release, request.release_identity) == ("toy", RELEASE.identity)


def test_matrix_runs_from_prompts_to_seeds() -> None:
    assert names(
        prompts=["a {colour} ball", "a box"],
        variables={"colour": ["red", "blue"]},
        shapes=["square", "landscape"],
        seeds=[2, 1],
    ) == [
        f"{prompt}--{shape}--s{seed}"
        for prompt in ("a-red-ball", "a-blue-ball", "a-box")
        for shape in ("square", "landscape")
        for seed in (2, 1)
    ]


def test_prompt_may_differ_from_the_rest_of_the_brief() -> None:
    own = {
        "prompt": "a {colour} ball",
        "name": "hero",
        "seeds": [9],
        "shapes": ["square"],
        "negative_prompt": " gru\u0308n ",
        "variables": {"colour": "green"},
    }
    first, *others = shots(
        prompts=[own, "a {colour} box"], variables={"colour": ["red", "blue"]}, seeds=[1, 2]
    )
    assert first.name == "hero.green--square--s9"
    assert first.request.negative_prompt == "gr\u00fcn"
    assert first.variables == {"colour": "green"}
    assert [shot.variables["colour"] for shot in others] == ["red", "red", "blue", "blue"]


def test_tier_chooses_the_sampling() -> None:
    (shot,) = shots(tier="draft", negative_prompt=" dull\n")
    assert shot.request.sampling.steps == 4
    assert shot.request.negative_prompt == "dull"


def test_variants_have_seeds_of_their_own_that_stay() -> None:
    few = shots(variants=2)
    many = shots(variants=4, prompts=["a blue box", "a red ball"])
    assert len({shot.request.seed for shot in many}) == 8
    assert [shot.request.seed for shot in few] == [shot.request.seed for shot in many[4:6]]
    assert shots() == few[:1]


def test_named_prompt_keeps_names_and_seeds_when_its_wording_changes() -> None:
    before = shots(variants=3, prompts=[{"name": "hero", "prompt": "a red ball"}])
    after = shots(variants=3, prompts=[{"name": "hero", "prompt": "a dark red ball"}])
    assert [shot.name for shot in before] == [shot.name for shot in after]
    assert all(a.render_key != b.render_key for a, b in zip(before, after, strict=True))


def test_prompts_are_normalised() -> None:
    decomposed = "  ein gru\u0308ner Ball \n"
    assert prompts(prompts=[decomposed]) == ["ein gr\u00fcner Ball"]
    assert prompts(prompts=["a{mark}"], variables={"mark": "\u0308"}) == ["\u00e4"]


def test_control_characters_are_left_to_screening() -> None:
    assert prompts(prompts=["a\tred\nball"]) == ["a\tred\nball"]


def test_equal_shots_are_kept_under_names_of_their_own() -> None:
    equal = shots(prompts=["a ball", "a ball "], seeds=[1, 1])
    assert [shot.name for shot in equal] == [
        "a-ball--landscape--s1",
        "a-ball--landscape--s1--2",
        "a-ball--landscape--s1--3",
        "a-ball--landscape--s1--4",
    ]
    assert len({shot.render_key for shot in equal}) == 1


def test_one_name_for_two_different_shots_is_an_error(tmp_path: Path) -> None:
    path = write_brief(
        tmp_path / "demo",
        "seeds: [1]",
        prompts="\n  - {prompt: a ball, name: hero}\n  - {prompt: a box, name: hero}",
    )
    with pytest.raises(InputError) as caught:
        expand(read_brief(path), RELEASE, path.parent)
    assert str(caught.value) == (
        f"{path}:9: `attributes.prompts[1].name` would give two different shots the name "
        "'hero--landscape--s1'. Give each prompt and each shape a name of its own."
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"prompts": ["a {color} ball"], "variables": {"colour": "red"}},
            "`prompts[0].prompt` uses the variable 'color', which has no values. List "
            "them under `variables`. Did you mean 'colour'?",
        ),
        (
            {"variables": {"colour": "red"}},
            "`variables.colour` is used by no prompt. Write {colour} in a prompt, or",
        ),
        (
            {"prompts": ["{word}"], "variables": {"word": " "}},
            "`prompts[0].prompt` is empty with these values.",
        ),
        (
            {"prompts": ["a ball"] * 11, "variants": 10_000},
            "It makes 110,000 shots; at most 100,000 are possible. Split the campaign",
        ),
    ],
)
def test_errors_without_a_file_name_campaign_and_field(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        shots(**fields)
    assert str(caught.value).startswith(f"campaign demo: {said}")


def test_size_is_checked_before_anything_is_expanded() -> None:
    values = [str(number) for number in range(1000)]
    template = " ".join(f"{{v{n}}}" for n in range(9))
    started = time.process_time()
    with pytest.raises(InputError, match="1,000,000,000,000,000,000,000,000,000 shots"):
        shots(prompts=[template], variables={f"v{n}": values for n in range(9)})
    assert time.process_time() - started < 1


def test_renditions_are_compared_with_what_is_known(tmp_path: Path) -> None:
    path = write_brief(tmp_path / "demo", "renditions: [h264, h265]")
    check_renditions(read_brief(path), {"h264", "h265"}, path.parent)
    with pytest.raises(InputError) as caught:
        check_renditions(read_brief(path), {"h264", "av1"}, path.parent)
    assert str(caught.value) == (
        f"{path}:8: `attributes.renditions[1]` is 'h265'. Did you mean 'h264'?"
    )


def test_ten_thousand_rows_expand_in_under_two_seconds(tmp_path: Path) -> None:
    path = write_brief(tmp_path / "demo", "prompts_file: a.csv\nseeds: [1]", prompts=None)
    rows = [f"a {{colour}} ball number {n} on a shelf,red\n" for n in range(10_000)]
    (path.parent / "a.csv").write_text("prompt,variables.colour\n" + "".join(rows))
    started = time.process_time()
    expanded = expand(read_brief(path), RELEASE, path.parent)
    keys = {shot.render_key for shot in expanded}
    assert time.process_time() - started < 2
    assert len(keys) == len({shot.name for shot in expanded}) == 10_000


words = st.lists(st.sampled_from(["a", "red", "Ball", "ball", "{x}", "ö", "!"]), min_size=1)
entries = st.fixed_dictionaries(
    {"prompt": words.map(" ".join)},
    optional={
        "seeds": st.lists(st.integers(0, 3), min_size=1, max_size=3),
        "shapes": st.lists(st.sampled_from(["square", "landscape"]), min_size=1, max_size=2),
        "variables": st.just({"x": ["1", "2"]}),
    },
)
matrices = st.fixed_dictionaries(
    {
        "prompts": st.lists(entries, max_size=5).map(lambda prompts: [*prompts, "the last {x}"]),
        "variants": st.integers(1, 3),
        "variables": st.just({"x": ["7", "b c", "7"]}),
    }
)


@given(matrices)
def test_names_are_unique_and_the_order_is_always_the_same(fields: dict[str, Any]) -> None:
    once = shots(**fields)
    assert len({shot.name for shot in once}) == len(once)
    assert shots(**fields) == once


@given(matrices, st.randoms(use_true_random=False))
def test_other_prompts_change_no_name_and_no_key(
    fields: dict[str, Any], chance: random.Random
) -> None:
    alone = {shot.name: shot.render_key for shot in shots(**fields)}
    others = ["something else", {"prompt": "more {x}", "name": "more"}, *fields["prompts"]]
    chance.shuffle(others)
    together = {shot.name: shot.render_key for shot in shots(**(fields | {"prompts": others}))}
    assert alone.items() <= together.items()
