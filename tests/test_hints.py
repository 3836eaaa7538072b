import pytest

from wan_pipelines.hints import did_you_mean


@pytest.mark.parametrize(
    ("word", "known", "sentence"),
    [
        ("sqare", ["landscape", "square"], "Did you mean 'square'?"),
        ("red", ["red-ball--square--s1", "blue-box"], "Did you mean 'red-ball--square--s1'?"),
        ("red", ["red-a", "red-b-c-d-e"], "Did you mean 'red-a'?"),
        ("", ["a"], "Known: a."),
        ("x", ["b", "a"], "Known: a, b."),
        ("x", [], "None is known here."),
        (12, ["a"], "Known: a."),
    ],
)
def test_nearest_name_or_all_of_them(word: object, known: list[str], sentence: str) -> None:
    assert did_you_mean(word, known) == sentence


def test_long_lists_are_cut() -> None:
    names = [f"name{number:02}" for number in range(50)]
    assert did_you_mean("?", names).endswith("name11 and 38 more.")
