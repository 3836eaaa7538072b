from pathlib import Path

import pytest

from wan_pipelines.errors import InputError
from wan_pipelines.storage import FolderStore, open_store


@pytest.mark.parametrize("make", [str, Path, Path.as_uri], ids=["text", "path", "url"])
def test_paths_and_file_urls_open_the_same_folder(make, tmp_path: Path):
    folder = tmp_path / "my videos #1 50%"
    open_store(make(folder)).put_bytes("a", b"1")
    assert (folder / "a").read_bytes() == b"1"


def test_opening_makes_nothing(tmp_path: Path):
    store = open_store(tmp_path / "store")
    assert list(store.list()) == []
    assert store.stat("a") is None
    assert list(tmp_path.iterdir()) == []


def test_home_folders_are_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HOME", str(tmp_path))
    store = open_store("~/videos")
    assert isinstance(store, FolderStore)
    assert store.root == tmp_path / "videos"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://host/a", "ftp://"),
        ("file://host/a", "names a host"),
        ("file:///a?b", "%3F"),
        ("file:///a%00b", "no absolute path"),
        ("file://", "no absolute path"),
        ("s3:///videos", "no name of a bucket"),
        ("s3://Bucket_/videos", "no name of a bucket"),
        ("s3://bucket/videos?endpoint=x", "query"),
        ("s3://bucket/a/../b", r"leaves its store"),
        ("", "no folder"),
        ("a\x00b", "no folder"),
    ],
)
def test_other_addresses_are_refused_with_a_remedy(url: str, problem: str):
    with pytest.raises(InputError, match=problem) as caught:
        open_store(url)
    assert "file:///srv/videos" in caught.value.remedy


def test_credentials_in_an_address_are_refused_and_not_shown():
    with pytest.raises(InputError, match="AWS_ACCESS_KEY_ID") as caught:
        open_store("s3://key:do-not-show-this@bucket/videos")
    assert "do-not-show-this" not in str(caught.value)


def test_buckets_are_not_asked_when_they_are_opened(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    assert repr(open_store("s3://bucket/my%20videos/")) == "S3Store('s3://bucket/my%20videos')"
