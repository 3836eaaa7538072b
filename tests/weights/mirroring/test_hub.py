"""What is asked of the hub's library, which is the outermost edge here: no hub is reached."""

from pathlib import Path
from typing import Any, NamedTuple

import huggingface_hub
import pytest
from huggingface_hub.errors import HfHubHTTPError

from tests.weights.mirroring.conftest import COMMIT
from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.mirroring.hub import download_snapshot, list_files

SAFE = ["README.md", "model_index.json", "transformer/config.json", "vae/model.safetensors"]


class Hub:
    """Lists `names`, and answers like `snapshot_download`."""

    def __init__(self, snapshot: Path) -> None:
        self.names = [*SAFE]
        self.snapshot = snapshot
        self.calls: list[dict[str, Any]] = []
        self.fail: Exception | None = None

    def info(self, _api: Any, repository: str, *, revision: str, files_metadata: bool) -> Any:
        assert (repository, revision, files_metadata) == ("somebody/sample", COMMIT, True)
        return Info([File(name, len(name)) for name in self.names])

    def download(self, repository: str, **options: Any) -> str:
        self.calls.append({"repository": repository, **options})
        if self.fail:
            raise self.fail
        return str(self.snapshot)


class File(NamedTuple):
    rfilename: str
    size: int


class Info(NamedTuple):
    siblings: list[File]


@pytest.fixture
def hub(snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub(snapshot)

    def info(api: Any, repository: str, **options: Any) -> Any:
        return hub.info(api, repository, **options)

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", info)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.download)
    return hub


def test_files_are_listed_with_their_sizes(hub: Hub) -> None:
    assert list_files("somebody/sample", COMMIT, ("vae/*",)) == {SAFE[3]: len(SAFE[3])}
    assert hub.calls == []


def test_just_the_files_that_match_are_fetched_of_the_commit(hub: Hub, snapshot: Path) -> None:
    assert download_snapshot("somebody/sample", COMMIT, ("*.json", "vae/*")) == snapshot
    (call,) = hub.calls
    assert (call["repository"], call["revision"]) == ("somebody/sample", COMMIT)
    assert call["allow_patterns"] == SAFE[1:]


def test_pickles_are_refused_before_anything_is_fetched(hub: Hub) -> None:
    hub.names.append("vae/model.bin")
    with pytest.raises(WeightsError, match=r"vae/model\.bin can run code"):
        download_snapshot("somebody/sample", COMMIT, ())
    assert hub.calls == []
    assert download_snapshot("somebody/sample", COMMIT, ("*.safetensors", "*.json"))


def test_a_hub_that_fails_is_told(hub: Hub) -> None:
    hub.fail = OSError("no route")
    with pytest.raises(WeightsError, match=r"no route.*goes on from there"):
        download_snapshot("somebody/sample", COMMIT, ())
    assert issubclass(HfHubHTTPError, OSError)
