import pytest
from pydantic import BaseModel, ConfigDict, Field

from wan_pipelines.errors import InputError
from wan_pipelines.validation import Location, field_name, shown, validated


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seeds: list[int] = []
    note: str | None = Field(default=None, max_length=3)


def problem(data: object, prefix: Location = ()) -> str:
    with pytest.raises(InputError) as caught:
        validated(Row, data, lambda location: f"row {len(location)}", prefix)
    return str(caught.value)


def test_good_data_becomes_a_record() -> None:
    assert validated(Row, {"seeds": [1]}, str).seeds == [1]


def test_prefix_stands_before_the_field_and_not_in_the_place() -> None:
    assert problem({"note": "long"}, ("rows", 4)) == (
        "row 1: `rows[4].note` is 'long'. String should have at most 3 characters."
    )


def test_all_problems_are_counted_and_the_first_few_are_named() -> None:
    said = problem({"seeds": ["x"] * 9})
    assert "`seeds[0]` is 'x'" in said
    assert "8 more to correct: `seeds[1]` (row 2)" in said
    assert "`seeds[5]`" in said
    assert "`seeds[6]`" not in said


def test_long_values_are_cut_and_stay_on_one_line() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert len(shown("x" * 500)) == 80
    assert len(problem({"note": "x" * 500})) < 200


def test_field_names_are_written_as_people_write_them() -> None:
    assert field_name(("prompts", 3, "seeds", 0)) == "prompts[3].seeds[0]"
