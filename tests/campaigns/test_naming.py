import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wan_pipelines.campaigns.naming import prompt_name, shot_name, slug, variant_seed

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.sampled_from(["a", "red", "Red", "ball", "ball.", "7", "é", "_"])).map(" ".join),
)
PATH_SAFE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(_[0-9a-f]{10})?|_[0-9a-f]{10}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a red ball", "a-red-ball"),
        ("A red ball.", "a-red-ball_1103cd00db"),
        ("ein grüner Ball", "ein-gruner-ball_"),
        ("红色的球", "_"),
        ("a " * 40 + "ball", "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a_"),
        ("x" * 70, "x" * 40 + "_"),
    ],
)
def test_plain_words_are_shown_and_the_rest_is_told_apart_by_a_digest(text: str, name: str) -> None:
    assert slug(text).startswith(name)
    assert ("_" in slug(text)) == ("_" in name)


@given(texts)
def test_slugs_are_short_and_safe_in_paths_and_addresses(text: str) -> None:
    assert PATH_SAFE.fullmatch(slug(text))
    assert len(slug(text)) <= 64


@given(texts, texts)
def test_different_texts_have_different_slugs(one: str, other: str) -> None:
    assume(one != other)
    assert slug(one) != slug(other)


def test_long_prompts_that_begin_alike_are_told_apart() -> None:
    beginning = "a red ball rolling down a long and winding road on a sunny day "
    assert slug(f"{beginning}in spring") != slug(f"{beginning}in autumn")


def test_own_name_comes_with_its_variables() -> None:
    assert prompt_name("hero", "whatever", []) == "hero"
    assert prompt_name("hero", "whatever", ["red", "dark blue"]) == "hero.red.dark-blue"
    assert prompt_name(None, "a red ball", ["red"]) == "a-red-ball"
    assert shot_name("hero", "square", 7) == "hero--square--s7"


@given(st.lists(texts, max_size=3), st.lists(texts, max_size=3))
def test_different_values_have_different_names(one: list[str], other: list[str]) -> None:
    assume(one != other)
    assert prompt_name("hero", "", one) != prompt_name("hero", "", other)


def test_seeds_of_variants_are_pinned() -> None:
    assert [variant_seed("demo", "hero", variant) for variant in range(3)] == [
        1805950046,
        1026656330,
        1873068892,
    ]
    assert variant_seed("other", "hero", 0) != variant_seed("demo", "hero", 0)
    assert variant_seed("demo", "villain", 0) != variant_seed("demo", "hero", 0)


def test_seeds_of_variants_fit_and_rarely_meet() -> None:
    seeds = {variant_seed("demo", slug(f"prompt {n}"), v) for n in range(100) for v in range(100)}
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert len(seeds) > 9_990
