"""`wan weights`, as people and init containers use it."""

import json
import signal
from pathlib import Path
from typing import Any, NamedTuple

import huggingface_hub
import pytest

from tests.cli.invoking import Wan
from tests.support.disks import read_only, small_disk
from tests.support.project import Project
from tests.support.releases import ARCHITECTURE
from wan_pipelines.weights.manifest import Manifest
from wan_pipelines.weights.node.entry import Entry
from wan_pipelines.weights.node.locks import let_go, sole_fetcher
from wan_pipelines.weights.pins import Pin

PATIENCE_SECONDS = 60
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class File(NamedTuple):
    rfilename: str
    size: int


class Info(NamedTuple):
    siblings: list[File]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of some files and a manifest."""
    folder = tmp_path / "origin"
    (folder / "vae").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "vae" / "config.json").write_text('{"a": 1}' * 1000)
    Manifest.build(folder, release="x", dtype="float32", revision="v1").write(folder)
    return folder


@pytest.fixture
def stored(wan: Wan, quick_project: Project, source: Path) -> Entry:
    """A release `stored`, whose weights are in the store; where a node keeps them."""
    done = wan("weights", "mirror", "mine", "--from", str(source), "--licence", "MIT", "--json")
    published = events(done.stdout)[-1]
    pin = {"mirrored": "mine", "revision": "v1", "content": published["content"]}
    quick_project.release("stored", source=pin, architecture=ARCHITECTURE)
    pinned = Pin(name="mine", revision="v1")
    return Entry.of(quick_project.state / "cache" / "weights", pinned)


def events(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


def test_fetched_once_and_then_there(wan: Wan, stored: Entry) -> None:
    first = events(wan("weights", "fetch", "stored", "--json").stdout)
    assert [each["event"] for each in first if each["event"] != "progress"] == ["began", "ready"]
    (again,) = events(wan("weights", "fetch", "stored", "--json").stdout)
    assert (again["event"], again["had_from"], again["fetched_bytes"]) == ("ready", "cache", 0)
    assert Path(again["folder"]) == stored.files
    let_go(stored)


def test_people_read_sentences(wan: Wan, stored: Entry) -> None:
    done = wan("weights", "fetch", "stored")
    assert done.exit_code == 0
    assert done.stdout == ""
    assert f"mine@v1: fetched in 0.0 s, {stored.files}" in done.stderr.replace("\n", "")
    let_go(stored)


def test_what_is_damaged_is_named_and_fetched_again(wan: Wan, stored: Entry) -> None:
    wan("weights", "fetch", "stored")
    (stored.files / "vae" / "config.json").write_text('{"b": 1}' * 1000)
    done = wan("weights", "verify", "stored", "--json")
    assert done.exit_code == 1
    (problem,) = json.loads(done.stdout)
    assert problem["file"] == str(stored.files / "vae" / "config.json")
    assert wan("weights", "fetch", "stored").exit_code == 0
    done = wan("weights", "verify", "stored")
    assert done.exit_code == 0
    assert "what their manifest says" in done.stderr
    let_go(stored)


def test_shipped_weights_are_verified_too(wan: Wan) -> None:
    assert wan("weights", "verify", "sample").exit_code == 0
    (ready,) = events(wan("weights", "fetch", "sample", "--json").stdout)
    assert ready["had_from"] == "elsewhere"


def test_weights_that_are_not_here_are_not_verified(wan: Wan, stored: Entry) -> None:
    done = wan("weights", "verify", "stored")
    assert done.exit_code == 1
    assert "wan weights fetch" in done.stderr


def test_the_list_says_what_is_here_and_what_is_there(wan: Wan, stored: Entry) -> None:
    rows = {row["release"]: row for row in json.loads(wan("weights", "list", "--json").stdout)}
    assert (rows["stored"]["here"], rows["stored"]["mirrored"]) == ("absent", True)
    wan("weights", "fetch", "stored")
    rows = {row["release"]: row for row in json.loads(wan("weights", "list", "--json").stdout)}
    assert (rows["stored"]["here"], rows["stored"]["in_use"]) == ("whole", True)
    assert "mine@v1" in wan("weights", "list", "--here").stdout
    let_go(stored)


def test_only_what_nobody_uses_is_evicted(wan: Wan, stored: Entry) -> None:
    wan("weights", "fetch", "stored")
    done = wan("weights", "evict", "stored")
    assert done.exit_code == 1
    assert "mine@v1 is in use" in done.stderr
    assert wan("weights", "evict", "--to-gb", "nan").exit_code == 2
    short = wan("weights", "evict", "--to-gb", "0")
    assert (short.exit_code, "mine@v1 is in use" in short.stderr) == (1, True)
    let_go(stored)
    (evicted,) = events(wan("weights", "evict", "--to-gb", "0", "--json").stdout)
    assert (evicted["event"], evicted["weights"]) == ("evicted", "mine@v1")
    assert not stored.folder.exists()
    assert wan("weights", "evict").exit_code == 2


def test_a_cache_that_cannot_be_written_is_listed_and_else_told(
    wan: Wan, quick_project: Project, stored: Entry
) -> None:
    with small_disk(quick_project.state / "cache", kibibytes=100_000) as disk:
        assert wan("weights", "fetch", "stored").exit_code == 0
        let_go(stored)
        with read_only(disk):
            assert "whole" in wan("weights", "list", "--here", "--json").stdout
            for command in ("fetch", "verify", "evict"):
                done = wan("weights", command, "stored")
                assert (done.exit_code, "let this user write" in done.stderr.lower()) == (1, True)


def test_a_plan_of_what_would_be_mirrored(wan: Wan, source: Path, quick_project: Project) -> None:
    arguments = ("mine", "--from", str(source), "--licence", "MIT")
    planned = events(wan("weights", "mirror", *arguments, "--dry-run", "--json").stdout)
    assert [each["path"] for each in planned] == ["model_index.json", "vae/config.json"]
    assert not any(each["is_there"] for each in planned)
    assert not (quick_project.state / "store" / "weights").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("smaple",), "Did you mean 'sample'?"),
        (("mine", "--from", "nowhere"), "no folder nowhere"),
        (("mine", "--from", "{source}"), "--licence"),
        (("../mine", "--from", "{source}", "--licence", "MIT"), "'../mine' is no name of weights"),
        (("mine", "--from", "hub:a/b@main"), "pins nothing"),
        (("mine", "--from", "{source}", "--revision", "v2", "--licence", "MIT"), "is revision v1"),
    ],
)
def test_what_cannot_be_mirrored_is_told(
    wan: Wan, source: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = wan("weights", "mirror", *(each.format(source=source) for each in arguments))
    assert done.exit_code == 1
    assert words in done.stderr


def test_a_release_of_the_hub_by_way_of_the_store(
    wan: Wan, quick_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub's library is the outermost edge here: what it would fetch lies in a folder."""
    snapshot = tmp_path / "hub" / "models--a--b" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "model_index.json").write_text("{}")
    info = Info([File("model_index.json", 2), File("model.gguf", 3)])
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: info)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(snapshot))
    hub = {"repository": "a/b", "revision": COMMIT, "files": ["*.json"], "size_bytes": 2}
    quick_project.release("hub", source={**hub, "mirror": {}}, architecture=ARCHITECTURE)
    (planned,) = events(wan("weights", "mirror", "hub", "--dry-run", "--json").stdout)
    assert (planned["path"], planned["how"]) == ("model_index.json", "fetched")
    assert wan("weights", "fetch", "hub").exit_code == 1
    published = events(wan("weights", "mirror", "hub", "--json").stdout)[-1]
    assert published["weights"] == f"hub@{COMMIT}"
    ready = events(wan("weights", "fetch", "hub", "--json").stdout)[-1]
    manifest = Manifest.read(Path(ready["folder"]))
    assert (manifest.origin, manifest.licence) == (f"hub:a/b@{COMMIT}", "Apache-2.0")
    let_go(Entry.of(quick_project.state / "cache" / "weights", Pin(name="hub", revision=COMMIT)))


def test_a_snapshot_of_another_commit_than_the_releases_is_refused(
    wan: Wan, quick_project: Project, source: Path
) -> None:
    hub = {"repository": "a/b", "revision": COMMIT, "files": ["*"], "size_bytes": 1}
    quick_project.release("hub", source={**hub, "mirror": {}}, architecture=ARCHITECTURE)
    done = wan("weights", "mirror", "hub", "--from", str(source))
    assert done.exit_code == 1
    assert f"is revision v1, and the release loads hub@{COMMIT}" in done.stderr


def test_a_pod_that_is_told_to_end_ends(quick_project: Project, stored: Entry) -> None:
    """While it waits for another process: events come as they happen, and it holds nothing."""

    def nobody_waits() -> None:
        raise AssertionError("the lock is free")

    with sole_fetcher(stored, nobody_waits):
        process = quick_project.start("wan", "weights", "fetch", "stored", "--json")
        assert process.stdout
        assert json.loads(process.stdout.readline())["event"] == "waiting"
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "stopped while another process was fetching" in said
