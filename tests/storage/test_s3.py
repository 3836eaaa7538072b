import multiprocessing
from datetime import timedelta
from pathlib import Path
from time import sleep
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.storage.contract import StoreContract
from tests.support.seaweed import BUCKET, S3Server
from wan_pipelines.errors import StorageError
from wan_pipelines.storage import ObjectStore, S3Settings, S3Store, open_store
from wan_pipelines.storage.s3_client import s3_client

pytestmark = pytest.mark.xdist_group("s3")

IN_PARTS = S3Settings(part_mib=5)


class TestS3Store(StoreContract):
    @pytest.fixture
    def store(self, s3: S3Server) -> ObjectStore:
        return open_store(s3.url())


@pytest.fixture
def store(s3: S3Server) -> ObjectStore:
    return open_store(s3.url())


def test_a_link_opens_the_object_until_it_expires(s3: S3Server):
    store = open_store(s3.url(), s3=S3Settings(link_seconds=1))
    store.put_bytes("a b/50%#?.html", b"<title>1</title>")
    link = store.link("a b/50%#?.html")
    with urlopen(link) as answer:
        assert answer.read() == b"<title>1</title>"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    sleep(2)
    with pytest.raises(HTTPError, match="403") as refused:
        urlopen(link)
    refused.value.close()


def test_a_link_opens_nothing_else(store: ObjectStore):
    store.put_bytes("mine", b"1")
    store.put_bytes("theirs", b"2")
    with pytest.raises(HTTPError, match="403") as refused:
        urlopen(store.link("mine").replace("/mine?", "/theirs?"))
    refused.value.close()


def test_large_objects_go_in_parts(s3: S3Server, tmp_path: Path):
    store = open_store(s3.url(), s3=IN_PARTS)
    content = bytes(range(256)) * 44 * 1024
    (tmp_path / "large").write_bytes(content)
    from_file = store.put_file("file", tmp_path / "large").info
    from_bytes = store.put_bytes("bytes", content)
    for info in (from_file, from_bytes):
        assert info.signature.endswith(f"-3:{len(content)}")
        assert store.read_bytes(info.key) == content
        store.get_file(info.key, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == content


def test_stores_of_one_bucket_do_not_see_each_other(s3: S3Server):
    url = s3.url()
    open_store(f"{url}/a").put_bytes("x", b"1")
    open_store(f"{url}/ab").put_bytes("y", b"1")
    assert [info.key for info in open_store(f"{url}/a/").list()] == ["x"]
    assert [info.key for info in open_store(url).list()] == ["a/x", "ab/y"]
    assert open_store(f"{url}/a").uri("x") == f"{url}/a/x"


def test_what_others_put_there_under_strange_names_is_not_listed(store: ObjectStore):
    assert isinstance(store, S3Store)
    store.put_bytes("a", b"1")
    for name in (".hidden", "folder/.part"):
        s3_client(store.settings).put_object(Bucket=BUCKET, Key=store.prefix + name, Body=b"1")
    assert [info.key for info in store.list()] == ["a"]


def test_long_listings_come_in_pages(store: ObjectStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("wan_pipelines.storage.s3.PAGE_OBJECTS", 2)
    keys = ["a", "b-c", "b/c", "b/d", "e"]
    for key in keys:
        store.put_bytes(key, b"1")
    assert [info.key for info in store.list()] == keys


def test_two_versions_are_never_mixed(store: ObjectStore):
    store.put_bytes("a", b"1" * 3_000_000)
    with store.open("a") as file:
        assert file.read(10) == b"1" * 10
        store.put_bytes("a", b"2" * 3_000_000)
        file.seek(2_500_000)
        with pytest.raises(StorageError, match="replaced in the meantime: read it again"):
            file.read(10)


def test_uploads_that_dead_writers_left_are_swept_when_they_are_old(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
):
    url = s3.url()
    prefix = url.rpartition("/")[2]
    client = s3_client(IN_PARTS)
    client.create_multipart_upload(Bucket=BUCKET, Key=f"{prefix}/left")

    def left() -> list[str]:
        found = client.list_multipart_uploads(Bucket=BUCKET, Prefix=prefix)
        return [upload["Key"] for upload in found.get("Uploads", ())]

    large = bytes(IN_PARTS.part_bytes)
    open_store(url, s3=IN_PARTS).put_bytes("a", large)
    assert left() == [f"{prefix}/left"]
    monkeypatch.setattr("wan_pipelines.storage.s3_leftovers.STALE", timedelta(0))
    open_store(url, s3=IN_PARTS).put_bytes("a", large)
    assert left() == []


def test_a_store_goes_on_in_a_forked_process(store: ObjectStore):
    store.put_bytes("a", b"1")
    child = multiprocessing.get_context("fork").Process(target=store.put_bytes, args=("b", b"2"))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert [store.read_bytes(key) for key in "ab"] == [b"1", b"2"]


@pytest.mark.parametrize(
    ("addressing", "begin"),
    [
        ("path", "https://s3.example/videos/all/a%20b?X-Amz-"),
        ("virtual", "https://videos.s3.example/all/a%20b?X-Amz-"),
    ],
)
def test_the_bucket_stands_where_the_settings_say(
    addressing: str, begin: str, monkeypatch: pytest.MonkeyPatch
):
    S3Server("https://s3.example").enter(monkeypatch)
    settings = S3Settings.model_validate({"addressing": addressing})
    assert open_store("s3://videos/all", s3=settings).link("a b").startswith(begin)


def test_a_link_names_region_and_lifetime(monkeypatch: pytest.MonkeyPatch):
    S3Server("https://s3.example").enter(monkeypatch)
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    link = open_store("s3://videos").link("a")
    assert "%2Feu-north-1%2Fs3%2F" in link
    assert "X-Amz-Expires=86400" in link
    assert "secret" not in link
