import os
from pathlib import Path

import pytest

from tests.campaigns.briefs import write_brief
from wan_pipelines.campaigns.prompt_files import MAX_BYTES, read_prompts
from wan_pipelines.campaigns.prompts import Prompt
from wan_pipelines.campaigns.whereabouts import Whereabouts
from wan_pipelines.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_brief(tmp_path / "demo", "prompts_file: prompts.csv", prompts=None).parent


def read(folder: Path, file: str = "prompts.csv") -> list[Prompt]:
    return [placed.prompt for placed in read_prompts(file, Whereabouts("demo", folder))]


def read_text(folder: Path, text: str, file: str = "prompts.csv") -> list[Prompt]:
    (folder / file).write_bytes(text.encode())
    return read(folder, file)


def problem(folder: Path, text: str, file: str = "prompts.csv") -> str:
    with pytest.raises(InputError) as caught:
        read_text(folder, text, file)
    return str(caught.value).replace(f"{folder}/", "")


def test_csv_rows_become_prompts(folder: Path) -> None:
    prompts = read_text(
        folder,
        "\ufeffprompt, name ,seeds,shapes,negative_prompt,variables.colour\r\n"
        'a {colour} ball,hero,7 8,square landscape,"dull, grey",red\r\n'
        ",,,,,\r\n"
        "\r\n"
        '"one, two\nlines",,,,,\r\n',
    )
    assert prompts == [
        Prompt(
            prompt="a {colour} ball",
            name="hero",
            seeds=(7, 8),
            shapes=("square", "landscape"),
            negative_prompt="dull, grey",
            variables={"colour": ("red",)},
        ),
        Prompt(prompt="one, two\nlines"),
    ]


def test_short_rows_leave_the_rest_to_the_brief(folder: Path) -> None:
    assert read_text(folder, "prompt,name,seeds\na ball\n") == [Prompt(prompt="a ball")]


def test_jsonl_lines_become_prompts(folder: Path) -> None:
    text = '"a ball"\r\n\n{"prompt": "a {thing}", "variables": {"thing": ["box", "cone"]}}\n'
    assert read_text(folder, text, "prompts.jsonl") == [
        Prompt(prompt="a ball"),
        Prompt(prompt="a {thing}", variables={"thing": ("box", "cone")}),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "prompts.csv: There are no prompts in it."),
        ("prompt\n", "prompts.csv: There are no prompts in it."),
        ("name\nx\n", "prompts.csv, row 1: The column 'prompt' is missing. Add it."),
        ("prompt,seed\n", "row 1: There is no column 'seed'. Did you mean 'seeds'?"),
        ("prompt;name\n", "row 1: There is no column 'prompt;name'. Did you mean"),
        ("prompt,prompt\n", "row 1: The column 'prompt' stands there twice."),
        ("prompt,name\na ball,hero,7\n", "row 2: The row has 3 cells, the header has 2."),
        ("prompt,name\na\n,hero\n", "prompts.csv, row 3: `prompt` is ''. There is nothing in it."),
        ("prompt,seeds\na\na,7 x\n", "row 3: `seeds[1]` is 'x'. Input should be a valid integer."),
        ("prompt,seeds\na,-7\n", "row 2: `seeds[0]` is '-7'. Input should be a valid integer."),
        ("prompt,seeds\na,²\n", "row 2: `seeds[0]` is '²'. Input should be a valid integer."),
        ("prompt,name\na,Red Ball\n", "row 2: `name` is 'Red Ball'. String should match pattern"),
        ("prompt,variables.a-b\na,x\n", "row 2: `variables.a-b` is 'a-b'. String should match"),
        ('prompt\na\n"b\n', "prompts.csv, row 3: This is not CSV: unexpected end of data."),
        ('prompt\n"a"b\n', "prompts.csv, row 2: This is not CSV: "),
        ("prompt\n" + "a" * 200_000, "prompts.csv, row 2: This is not CSV: field larger than"),
        ("prompt\na\0b\n", "row 2: `prompt` is 'a\\x00b'. The character U+0000 is not text."),
    ],
)
def test_csv_errors_name_the_row(folder: Path, text: str, said: str) -> None:
    assert said in problem(folder, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"a"\n{', "prompts.jsonl, row 2: This is not JSON: "),
        ("12", "prompts.jsonl, row 1: This has no fields. Write its fields as"),
        ('{"text": "a"}', "row 1: There is no field `text`. Known: name, negative_prompt, prompt"),
        ('{"prompt": "a", "prompt": "b"}', "row 1: This is not JSON: a key is written twice."),
        ('{"prompt": "\\ud800"}', "row 1: `prompt` is '\\ud800'. The character U+D800 is not text"),
        ('{"prompt": "a", "seeds": [1.5]}', "row 1: `seeds[0]` is 1.5. Input should be a valid"),
        ("[" * 100_000, "row 1: This is not JSON: "),
    ],
)
def test_jsonl_errors_name_the_row(folder: Path, text: str, said: str) -> None:
    assert said in problem(folder, text, "prompts.jsonl")


def test_encoding_and_size_are_checked(folder: Path) -> None:
    (folder / "prompts.csv").write_bytes(b"prompt\nein gr\xfcner Ball\n")
    with pytest.raises(InputError, match=r"prompts\.csv:2: Byte 0xfc is not UTF-8"):
        read(folder)
    with (folder / "prompts.csv").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match="larger than"):
        read(folder)


def test_links_out_of_the_folder_are_refused(folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "prompts.csv").write_text("prompt\nsecret\n")
    (folder / "prompts.csv").symlink_to(outside / "prompts.csv")
    (folder / "sub").symlink_to(outside)
    for file in ("prompts.csv", "sub/prompts.csv"):
        with pytest.raises(InputError) as caught:
            read(folder, file)
        assert caught.value.where == f"{folder / 'defs.yaml'}:7"
        assert f"`attributes.prompts_file` is '{file}', which leads out of" in caught.value.what
    assert "secret" not in str(caught.value)


def test_links_inside_the_folder_are_followed(folder: Path) -> None:
    (folder / "all.csv").write_text("prompt\na ball\n")
    (folder / "prompts.csv").symlink_to("all.csv")
    assert read(folder) == [Prompt(prompt="a ball")]


@pytest.mark.parametrize("kind", ["missing", "folder", "loop", "pipe"])
def test_only_files_are_read(folder: Path, kind: str) -> None:
    (folder / "promts.csv").write_text("prompt\na ball\n")
    path = folder / "prompts.csv"
    if kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to("prompts.csv")
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(InputError, match=r"defs\.yaml:7: .* no such file\. Did you mean 'promts"):
        read(folder)
