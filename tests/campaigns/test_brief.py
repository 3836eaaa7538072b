import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from tests.campaigns.briefs import brief, write_brief
from wan_pipelines.campaigns.brief import Brief, read_brief, read_briefs
from wan_pipelines.campaigns.prompts import Prompt, Shape
from wan_pipelines.errors import InputError

EVERYTHING = """\
title: Autumn
description: Clips for the catalogue.
tier: draft
prompts:
- a red ball
- prompt: a {colour} {thing}
  name: hero
  negative_prompt: dull
  seeds: [7]
  shapes: [square]
  variables: {colour: red, thing: [ball, 8]}
negative_prompt: ""
variants: 3
shapes: [landscape, {name: banner, width: 128, height: 32, frames: 9, fps: 4}]
frames: 17
fps: 8
renditions: [h264, h264-half]
priority: 10
schedule: {cron: 0 3 * * *, time_zone: Europe/Berlin, start: 2026-11-01}
budget_usd: 0.1
rerender: manual
owners: [team:films, mira@example.com]
tags: {season: autumn}
"""


def schema_problems(schema: dict[str, Any], data: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(data)]


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for record in (schema, *schema["$defs"].values()):
        for name, field in record["properties"].items():
            yield f"{record['title']}.{name}", field


def test_brief_with_everything_is_read_as_written(tmp_path: Path) -> None:
    read = read_brief(write_brief(tmp_path / "autumn", EVERYTHING, prompts=None))
    assert read.prompts[0] == Prompt(prompt="a red ball")
    assert read.prompts[1].variables == {"colour": ("red",), "thing": ("ball", "8")}
    assert read.shapes[1] == Shape(name="banner", width=128, height=32, frames=9, fps=4)
    assert read.negative_prompt == ""
    assert read.budget_usd == Decimal("0.1")
    assert read.schedule is not None
    assert read.schedule.time_zone == "Europe/Berlin"


def test_small_brief_is_enough(tmp_path: Path) -> None:
    read = read_brief(write_brief(tmp_path / "autumn", ""))
    assert read.title == "autumn"
    assert (read.variants, read.seeds, read.shapes, read.renditions) == (None, (), (), ("h264",))
    assert read.rerender == "on_change"


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("tennant: x", "There is no field `attributes.tennant`. Did you mean 'tenant'?"),
        ("rerender: on_chnge", "is 'on_chnge'. Input should be 'on_change' or 'manual'. Did you"),
        ("seeds: [1, true]", "`attributes.seeds[1]` is True. Input should be a valid integer."),
        ("seeds: [1, '2']", "`attributes.seeds[1]` is '2'. Input should be a valid integer."),
        ("seeds: [-1]", "`attributes.seeds[0]` is -1. Input should be greater than or equal to 0."),
        ("seeds: [9223372036854775808]", "Input should be less than 9223372036854775808."),
        ("variants: 0", "`attributes.variants` is 0. Input should be greater than or equal to 1."),
        ("frames: 17.0", "`attributes.frames` is 17.0. Input should be a valid integer."),
        ("budget_usd: 0", "`attributes.budget_usd` is 0. Input should be greater than 0."),
        ("budget_usd: .inf", "`attributes.budget_usd` is inf. Input should be a finite number."),
        ("budget_usd: 0.0000001", "no more than 6 decimal places."),
        ("shapes: [square, square]", "'square' is listed twice. Remove one of the two."),
        ("shapes: [{width: 64}]", "`attributes.shapes[0].height` is missing. Add it."),
        ("shapes: [{width: 64, height: 64, frame: 9}]", "Did you mean 'frames'?"),
        ("renditions: []", "`attributes.renditions` is not acceptable. Tuple should have at least"),
        ("owners: [mira]", "`attributes.owners[0]` is 'mira'. An owner is a team (team:films) or"),
        ("tags: {a b: c}", "`attributes.tags.a b` is 'a b'. String should match pattern"),
        ("variables: {a-b: c}", "`attributes.variables.a-b` is 'a-b'. String should match pattern"),
        ("variables: {a: []}", "`attributes.variables.a` is not acceptable. Tuple should have at"),
        ("variables: {a: [1.50]}", "`attributes.variables.a[0]` is 1.5. Write text; put quotes"),
        ("variables: {a: no}", "`attributes.variables.a` is False."),
        ('title: "\\0"', "The character U+0000 is not text. Remove it."),
        ("schedule: {cron: 0 3 * *, time_zone: UTC, start: 2026-11-01}", "It has 4 fields, not"),
        (
            "schedule: {cron: 0 3 * * *, time_zone: Europe/Berln, start: 2026-11-01}",
            "`attributes.schedule.time_zone` is 'Europe/Berln'. There is no such time zone. Did you"
            " mean 'Europe/Berlin'?",
        ),
    ],
)
def test_errors_name_line_field_value_and_remedy(tmp_path: Path, field: str, said: str) -> None:
    path = write_brief(tmp_path / "autumn", field)
    with pytest.raises(InputError) as caught:
        read_brief(path)
    assert caught.value.where == f"{path}:8"
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("prompts", "said"),
    [
        ("[a red ball, 12]", "`attributes.prompts[1]` has no fields."),
        ("[' ']", "`attributes.prompts[0]` is ' '. There is nothing in it. Write what is to be"),
        ("[{promt: a ball}]", "There is no field `attributes.prompts[0].promt`. Did you mean 'pro"),
        ("[{prompt: a ball, name: Red Ball}]", "`attributes.prompts[0].name` is 'Red Ball'."),
        ("[{prompt: a ball, seeds: []}]", "`attributes.prompts[0].seeds` is not acceptable."),
        ('["\\0 ball"]', "The character U+0000 is not text. Remove it."),
    ],
)
def test_errors_in_prompts_name_the_prompt(tmp_path: Path, prompts: str, said: str) -> None:
    path = write_brief(tmp_path / "autumn", "", prompts=prompts)
    with pytest.raises(InputError) as caught:
        read_brief(path)
    assert caught.value.where == f"{path}:7"
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompts": []}, "Give either `prompts` or a `prompts_file`"),
        ({"prompts": ["a"], "prompts_file": "a.csv"}, "Give either `prompts` or a `prompts_file`"),
        ({"seeds": [1], "variants": 2}, "Give either `seeds` or a number of `variants`, not both"),
        ({"prompts_file": "a.txt"}, "Name a file that ends in .csv or .jsonl"),
        ({"prompts_file": "../a.csv"}, "Name a file in the folder of the brief"),
        ({"prompts_file": "/etc/a.csv"}, "Name a file in the folder of the brief"),
        ({"prompts_file": "b/../../a.csv"}, "Name a file in the folder of the brief"),
        ({"prompts_file": "a\\b.csv"}, "Name a file in the folder of the brief"),
        ({"prompts_file": "a\0.csv"}, "Name a file in the folder of the brief"),
        ({"name": "../x"}, "String should match pattern"),
        ({"tenant": "a/b"}, "String should match pattern"),
        ({"name": "demo\n"}, "String should match pattern"),
        ({"prompts": ["\ud800"]}, "The character U+D800 is not text"),
    ],
)
def test_contradictions_and_foreign_paths_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        brief(**fields)


def test_brief_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(brief(), "tenant", "other")  # noqa: B010


def test_name_is_the_folder(tmp_path: Path) -> None:
    path = write_brief(tmp_path / "autumn", "")
    path = path.rename(tmp_path / "defs.yaml")
    with pytest.raises(InputError, match=r"defs\.yaml:3: `attributes\.name` is 'autumn', but the"):
        read_brief(path)


def test_briefs_are_found_by_name(tmp_path: Path) -> None:
    for name in ("spring", "autumn"):
        write_brief(tmp_path / "campaigns" / name, "")
    assert list(read_briefs(tmp_path)) == ["autumn", "spring"]
    assert read_briefs(tmp_path / "nothing") == {}


def test_other_components_are_no_campaigns(tmp_path: Path) -> None:
    path = tmp_path / "defs.yaml"
    path.write_text("type: wan_pipelines.components.ModelRelease\nattributes: {}\n")
    with pytest.raises(InputError, match=r":1: `type` is .*ModelRelease'\. Expected is .*Campaign"):
        read_brief(path)


def test_editors_are_told_what_every_field_means_and_shown_an_example() -> None:
    schema = Brief.model_json_schema()
    for name, field in properties(schema):
        assert len(field.get("description", "")) > 5, name
        if "enum" not in field:
            assert field["examples"], name
    for name in ("tenant", "user", "release", "name"):
        assert name in schema["required"]


def test_schema_and_model_accept_the_same_brief() -> None:
    schema = Brief.model_json_schema()
    data = yaml.safe_load(EVERYTHING) | {"name": "a", "tenant": "b", "user": "c", "release": "d"}
    assert schema_problems(schema, data | {"schedule": None}) == []
    assert schema_problems(schema, data | {"schedule": None, "seds": [1]})
    assert schema_problems(schema, data | {"schedule": None, "prompts": [{"promt": "x"}]})


def test_examples_in_the_schema_are_acceptable() -> None:
    for name, field in Brief.model_fields.items():
        for example in field.examples or ():
            others = {"variants": None, "seeds": ()} if name in {"variants", "seeds"} else {}
            assert brief(**(others | {name: example})), name
