"""The images' recipe: linted, and true to what the rest of the project says."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
TINY_MEBIBYTES = 8


def stage(name: str) -> str:
    """What a stage does, without what it begins from."""
    return re.split(r"(?m)^FROM .*AS ", DOCKERFILE.partition(f" AS {name}\n")[2])[0]


def test_hadolint_finds_nothing():
    program = Path(sys.executable).with_name("hadolint")
    found = subprocess.run(
        [program, ROOT / "Dockerfile"], check=False, capture_output=True, text=True
    )
    assert (found.returncode, found.stdout) == (0, "")
    assert "hadolint ignore" not in DOCKERFILE


def test_both_images_begin_with_the_same_layers():
    froms = {name: base for base, name in re.findall(r"(?m)^FROM (\S+) AS (\S+)$", DOCKERFILE)}
    assert froms["control"] == "control-packages" == froms["gpu-packages"]
    assert froms["gpu"] == "gpu-packages"


def test_nobody_is_root_in_them_and_their_base_is_pinned():
    for name in ("control", "gpu"):
        assert "\nUSER 10001:10001\n" in stage(name)
        assert "\nHEALTHCHECK " in stage(name)
    assert re.search(r"(?m)^ARG PYTHON_IMAGE=python:3\.11\.\d+-slim-\w+$", DOCKERFILE)
    assert re.findall(r"(?m)^FROM (\S*[/:]\S*) ", DOCKERFILE) == []


def test_the_builder_is_sent_what_is_copied_and_nothing_else():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = set[str]()
    for words in re.findall(r"(?m)^COPY (?!--)(.*) \S+$", DOCKERFILE):
        copied |= set(words.split())
    assert "*" in ignored
    assert sent == copied


def test_no_weights_but_the_tiny_ones_are_in_it():
    files = (ROOT / "wan_pipelines").rglob("*.safetensors")
    assert sum(file.stat().st_size for file in files) < TINY_MEBIBYTES * 2**20
