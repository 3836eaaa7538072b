from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.campaigns.templates import combinations, filled, variables_in

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)


def test_variables_are_listed_once_in_the_order_they_appear() -> None:
    assert variables_in("a {b} {a} and {b}") == ("b", "a")


def test_other_braces_stand_for_themselves() -> None:
    for text in ("{}", "{ a }", "{{red hair}}", "{1}", "a { b", "}{", "{a-b}"):
        assert variables_in(text) == ()
        assert filled(text, {}) == text


def test_values_are_put_in_once() -> None:
    assert filled("{a} {b}", {"a": "{b}", "b": "\\g<0>{a}"}) == "{b} \\g<0>{a}"


def test_last_variable_changes_fastest() -> None:
    values = {"a": ("1", "2"), "b": ("x", "y"), "unused": ("z",)}
    assert [tuple(c.values()) for c in combinations(("a", "b"), values)] == [
        ("1", "x"),
        ("1", "y"),
        ("2", "x"),
        ("2", "y"),
    ]
    assert list(combinations((), values)) == [{}]


@given(st.lists(names, min_size=1, unique=True), st.text())
def test_every_placeholder_is_replaced(variables: list[str], value: str) -> None:
    template = " ".join(f"{{{name}}}" for name in variables)
    assert variables_in(template) == tuple(variables)
    assert filled(template, dict.fromkeys(variables, value)) == " ".join([value] * len(variables))
