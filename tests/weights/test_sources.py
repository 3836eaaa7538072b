"""Where weights come from: shipped, kept by somebody, or fetched from a hub once."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import huggingface_hub
import numpy as np
import pytest
from safetensors.numpy import save

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.manifest import verify
from wan_pipelines.weights.sources import FolderSource, HubSource, PackagedSource

REVISION = "0123456789abcdef0123456789abcdef01234567"
HUB = HubSource(
    release="sample",
    repository="somebody/sample",
    revision=REVISION,
    dtype="bfloat16",
    allow_patterns=("*.json", "*.safetensors"),
    size_bytes=1000,
    allow_download=True,
)


class Usage(NamedTuple):
    total: int
    used: int
    free: int


class Hub:
    """Answers like `snapshot_download`, the outermost edge."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.fail: Exception | None = None

    def __call__(self, repository: str, *, local_dir: Path, **options: Any) -> str:
        self.calls.append({"repository": repository, **options})
        self.resumed = sorted(path.name for path in local_dir.iterdir())
        (local_dir / "vae").mkdir(exist_ok=True)
        (local_dir / "model_index.json").write_text("{}")
        if self.fail:
            raise self.fail
        weights = save({"weight": np.ones(4, dtype=np.float32)})
        (local_dir / "vae" / "model.safetensors").write_bytes(weights)
        (local_dir / ".cache" / "huggingface").mkdir(parents=True)
        (local_dir / ".cache" / "huggingface" / "x.lock").touch()
        return str(local_dir)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub()
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub)
    return hub


def test_a_folder_is_used_where_it_lies(folder: Path, tmp_path: Path) -> None:
    weights = FolderSource(folder).ensure(tmp_path / "cache")
    assert weights.path == folder
    assert weights.manifest.release == "sample"
    assert not (tmp_path / "cache").exists()


def test_a_packaged_checkpoint_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(WeightsError, match="no packaged checkpoint 'nobody'"):
        PackagedSource("nobody").ensure(Path("unused"))


@pytest.mark.parametrize("name", ["../engines", "/etc", "", "Upper", "a/b"])
def test_a_packaged_name_is_a_plain_name(name: str) -> None:
    with pytest.raises(WeightsError, match="not the name of a packaged checkpoint"):
        PackagedSource(name).ensure(Path("unused"))


def test_a_repository_is_fetched_once_at_its_commit(hub: Hub, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = HUB.ensure(cache)
    again = replace(HUB, allow_download=False).ensure(cache)
    assert hub.calls == [
        {
            "repository": "somebody/sample",
            "revision": REVISION,
            "allow_patterns": ["*.json", "*.safetensors"],
        }
    ]
    assert first == again
    assert (first.manifest.release, first.manifest.revision) == ("sample", REVISION)
    assert {file.path for file in first.manifest.files} == {
        "model_index.json",
        "vae/model.safetensors",
    }
    verify(first.path, first.manifest)
    assert not list(cache.glob("*.part"))


def test_other_files_of_the_same_commit_get_a_folder_of_their_own(tmp_path: Path) -> None:
    assert HUB.folder(tmp_path) != replace(HUB, allow_patterns=("*.json",)).folder(tmp_path)
    assert HUB.folder(tmp_path) != replace(HUB, revision="f" * 40).folder(tmp_path)


def test_nothing_is_downloaded_without_permission(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"0\.0 GB.*downloads are not allowed here"):
        replace(HUB, allow_download=False).ensure(tmp_path)
    assert not hub.calls


def test_a_disk_that_is_too_small_is_noticed_before(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = Usage(10**12, 0, 10**11)
    monkeypatch.setattr("wan_pipelines.weights.sources.shutil.disk_usage", lambda path: usage)
    with pytest.raises(WeightsError, match=r"needs 132\.5 GB more, and .* has 100\.0 GB free"):
        replace(HUB, size_bytes=126_200_000_000).ensure(tmp_path)
    assert not hub.calls


def test_an_interrupted_download_goes_on_and_is_not_visible_before(
    hub: Hub, tmp_path: Path
) -> None:
    hub.fail = ConnectionError("the line went dead")
    with pytest.raises(WeightsError, match=r"the line went dead.*goes on from there"):
        HUB.ensure(tmp_path)
    assert not HUB.folder(tmp_path).exists()
    hub.fail = None
    HUB.ensure(tmp_path)
    assert hub.resumed == ["model_index.json", "vae"]
    assert HUB.folder(tmp_path).is_dir()


def test_pickles_from_the_hub_never_get_a_manifest(hub: Hub, tmp_path: Path) -> None:
    part = HUB.folder(tmp_path).with_name(HUB.folder(tmp_path).name + ".part")
    part.mkdir()
    (part / "pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(WeightsError, match="is a pickle"):
        HUB.ensure(tmp_path)
    assert not HUB.folder(tmp_path).exists()


def test_a_folder_of_another_commit_is_refused(hub: Hub, tmp_path: Path) -> None:
    weights = HUB.ensure(tmp_path)
    weights.manifest.model_copy(update={"revision": "f" * 40}).write(weights.path)
    with pytest.raises(WeightsError, match=f"holds revision {'f' * 40}"):
        HUB.ensure(tmp_path)


def test_workers_that_start_together_fetch_once(hub: Hub, tmp_path: Path) -> None:
    threads = [threading.Thread(target=HUB.ensure, args=(tmp_path,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hub.calls) == 1
