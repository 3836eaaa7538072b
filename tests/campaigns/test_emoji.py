import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.campaigns.emoji import longest_emoji_run

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
ONE_EMOJI = {
    "face": "\U0001f600",
    "heart with selector": "\u2764\ufe0f",
    "heart": "\u2764",
    "sun": "\u2600",
    "thumb with skin tone": "\U0001f44d\U0001f3fd",
    "skin tone alone": "\U0001f3fd",
    "family": FAMILY,
    "astronaut with skin tone": "\U0001f469\U0001f3fe\u200d\U0001f680",
    "rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "flag": "\U0001f1e9\U0001f1ea",
    "flag of a region": SCOTLAND,
    "keycap": "7\ufe0f\u20e3",
    "keycap without selector": "#\u20e3",
}
NO_EMOJI = ["1", "#", "*", "©", "®", "™", "™\ufe0f", "a", "红", "!", "\u2764\ufe0e", "\U0001f1e9a"]


@pytest.mark.parametrize("emoji", ONE_EMOJI.values(), ids=ONE_EMOJI.keys())
def test_what_people_see_as_one_emoji_counts_as_one(emoji: str) -> None:
    assert longest_emoji_run(f"see {emoji * 5}!") == 5
    assert longest_emoji_run(f"see{f' {emoji}' * 5}!") == 5
    assert longest_emoji_run(f"{emoji * 2} and {emoji * 4} and {emoji * 3}") == 4


@pytest.mark.parametrize("text", NO_EMOJI)
def test_signs_digits_and_text_presentation_are_no_emoji(text: str) -> None:
    assert longest_emoji_run(text * 9) == 0


def test_different_emoji_make_one_run() -> None:
    assert longest_emoji_run(" ".join(ONE_EMOJI.values())) == len(ONE_EMOJI)


@given(st.lists(st.sampled_from([*ONE_EMOJI.values(), "a", "1", "™"])))
def test_runs_end_where_something_else_stands(parts: list[str]) -> None:
    kinds = "".join("e" if part in ONE_EMOJI.values() else "." for part in parts)
    longest = max(map(len, kinds.split(".")))
    # Spaces, because a skin tone after another emoji would join it.
    assert longest_emoji_run(" ".join(parts)) == longest


@pytest.mark.parametrize("text", ["\U0001f1e9", "\U0001f468\u200d", f"{FAMILY} ", "7\ufe0f", " "])
def test_hostile_text_is_searched_in_linear_time(text: str) -> None:
    started = time.process_time()
    longest_emoji_run(text * 50_000)
    assert time.process_time() - started < 1
