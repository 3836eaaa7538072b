import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Discriminator, Tag, model_validator

from wan_pipelines.errors import InputError
from wan_pipelines.yaml_source import (
    MAX_BYTES,
    MAX_DEPTH,
    component_type,
    load_yaml,
    read_component,
)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wheel(Strict):
    width: int
    tread: Literal["slick", "winter"] = "slick"


class Car(Strict):
    name: str
    wheels: tuple[Wheel, ...] = ()
    spare: (
        Annotated[
            Annotated[str, Tag("name")] | Annotated[Wheel, Tag("wheel")],
            Discriminator(lambda value: "name" if isinstance(value, str) else "wheel"),
        ]
        | None
    ) = None
    spares: dict[str, Wheel] = {}

    @model_validator(mode="after")
    def _no_unicycle(self) -> "Car":
        if len(self.wheels) == 1:
            raise ValueError("A car has more than one wheel")
        return self


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "defs.yaml"


def problem(file: Path, text: str) -> str:
    """What is said about a file, without the folder it lies in."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_component(file, Car, "shop.Car")
    return str(caught.value).replace(f"{file.parent}/", "")


def test_good_file_becomes_its_model(file: Path) -> None:
    file.write_text(
        "type: shop.Car\nattributes:\n  name: kart\n  wheels:\n  - width: 8\n  - {width: 9}\n"
    )
    assert read_component(file, Car, "shop.Car") == Car(
        name="kart", wheels=(Wheel(width=8), Wheel(width=9))
    )
    assert component_type(file) == "shop.Car"


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        (
            "  nam: kart",
            "defs.yaml:3: There is no field `attributes.nam`. Did you mean 'name'? "
            "1 more to correct: `attributes.name` (defs.yaml:2).",
        ),
        ("  wheels: []", "defs.yaml:2: `attributes.name` is missing. Add it."),
        (
            "  name: 2026-01-31",
            "defs.yaml:3: `attributes.name` is datetime.date(2026, 1, 31). Write text; put quotes "
            "around words such as no, on, 12 or 2026-01-31.",
        ),
        (
            "  name: kart\n  wheels:\n  - width: 8\n  - width: wide",
            "defs.yaml:6: `attributes.wheels[1].width` is 'wide'. Input should be a valid integer, "
            "unable to parse string as an integer.",
        ),
        (
            "  name: kart\n  wheels:\n  - widht: 8",
            "defs.yaml:5: There is no field `attributes.wheels[0].widht`. Did you mean 'width'? "
            "1 more to correct: `attributes.wheels[0].width` (defs.yaml:5).",
        ),
        (
            "  name: kart\n  spares:\n    left: {width: 1, tread: wintr}",
            "defs.yaml:5: `attributes.spares.left.tread` is 'wintr'. Input should be 'slick' or "
            "'winter'. Did you mean 'winter'?",
        ),
        (
            "  name: kart\n  spare: {width: 1, tred: slick}",
            "defs.yaml:4: There is no field `attributes.spare.tred`. Did you mean 'tread'?",
        ),
        (
            "  name: kart\n  spare:\n    width: [1]",
            "defs.yaml:5: `attributes.spare.width` is not acceptable. Input should be a valid "
            "integer.",
        ),
        (
            "  name: kart\n  wheels: [{width: 8}]",
            "defs.yaml:2: `attributes` is not acceptable. A car has more than one wheel.",
        ),
        (
            "  name: kart\n  wheels: [8]",
            "defs.yaml:4: `attributes.wheels[0]` has no fields. Write its fields as `name: value`.",
        ),
    ],
)
def test_errors_name_file_line_field_value_and_remedy(
    file: Path, attributes: str, said: str
) -> None:
    assert problem(file, f"type: shop.Car\nattributes:\n{attributes}\n") == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"defs.yaml:1: This has no fields\."),
        ("- 1", r"defs.yaml:1: This has no fields\."),
        ("type: shop.Bus", r"defs.yaml:1: `type` is 'shop.Bus'. Expected is shop.Car\."),
        ("typ: shop.Car", r"defs.yaml:1: There is no field `typ`. Did you mean 'type'\?"),
        ("a: 1\nb: 2\na: 3", r"defs.yaml:3: The key 'a' stands here and on line 1\."),
        ("a:\n  b: {c: 1, 'c': 2}", r"defs.yaml:2: The key 'c' stands here and on line 2\."),
        ("a: &x [1]\nb: *x", r"defs.yaml:1: Anchors and aliases \('x'\) are not supported\."),
        ("\nb: *x", r"defs.yaml:2: Anchors and aliases \('x'\) are not supported\."),
        ("<<: {a: 1}", r"defs.yaml:1: The key '<<' is not text\."),
        ("a: 1\non: 2", r"defs.yaml:2: The key 'on' is not text. Put quotes around"),
        ("? [a]\n: 1", r"defs.yaml:1: The key \[.*\] is not text\."),
        ("a: 1\n--- \nb: 2", r"defs.yaml:2: This is not YAML: .*found another document"),
        ("a: 1\nb:\n- {x} ball", r"defs.yaml:3: This is not YAML: .* needs quotes around it\.$"),
        ("a: [", r"defs.yaml:\d: This is not YAML: "),
        ("a: 1\nb:\tc: d", r"defs.yaml:2: This is not YAML: "),
        ("a: !!python/object:os.system ls", r"defs.yaml:1: This is not YAML: could not determine"),
        ("a: 1\nb: 2026-13-45", r"defs.yaml:2: .*'2026-13-45' has no value \(month must be"),
        ("a: " + "1" * 5000, r"defs.yaml:1: .*has no value"),
        ("ä: ä\nb: \x07", r"defs.yaml:2: The character U\+0007 may not stand in YAML\."),
        ('a: "\\ud800"', r"defs.yaml:1: This is not YAML: .*invalid Unicode character escape"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(file: Path, text: str, said: str) -> None:
    assert re.match(said, problem(file, text))


def test_bombs_are_refused_quickly(file: Path) -> None:
    started = time.process_time()
    assert f"nested more than {MAX_DEPTH} deep" in problem(file, "[" * 200_000)
    assert "larger than" in problem(file, "a" * (MAX_BYTES + 1))
    laughs = "a0: &a0 lol\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
    )
    assert "Anchors and aliases" in problem(file, laughs)
    assert time.process_time() - started < 2


def test_a_line_is_known_for_every_node_and_for_what_is_missing(file: Path) -> None:
    file.write_text("a:\n  b:\n  - 1\n  - c: 2\n")
    source = load_yaml(file)
    assert source.where(("a", "b", 1, "c")) == f"{file}:4"
    assert source.where(("a", "b", 0)) == f"{file}:3"
    assert source.where(("a", "b", 7, "x")) == f"{file}:2"
    assert source.where(("z",)) == f"{file}:1"


@given(st.text(alphabet="ab:{}[]&*!|>-?#'\"%@`,\n\t \\x0", max_size=60))
def test_any_text_is_data_or_an_input_error(tmp_path_factory: pytest.TempPathFactory, text) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    file.write_text(text, encoding="utf-8")
    with suppress(InputError):
        load_yaml(file)
