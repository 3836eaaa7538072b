"""What a bucket's store makes of networks that break and servers that refuse."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.seaweed import BUCKET, S3Server
from tests.support.tcp_proxy import BUSY, Broken, TcpProxy, refusal, tcp_proxy
from wan_pipelines.errors import StorageError
from wan_pipelines.storage import ObjectStore, S3Settings, open_store
from wan_pipelines.storage.s3_client import ATTEMPTS, s3_client

pytestmark = pytest.mark.xdist_group("s3")

QUICK = S3Settings(answer_seconds=1, connect_seconds=5, patience_seconds=20, part_mib=5)
IMPATIENT = QUICK.model_copy(update={"patience_seconds": 0, "parallel": 1})
MEBIBYTE = 1 << 20


@pytest.fixture
def url(s3: S3Server) -> str:
    return s3.url()


@pytest.fixture
def direct(url: str) -> ObjectStore:
    """The store as others see it, who have a better connection."""
    return open_store(url)


@pytest.fixture
def proxy(s3: S3Server, direct: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[TcpProxy]:
    """What lies between this process and the server from now on."""
    direct.put_bytes("there", CONTENT)
    with tcp_proxy(s3.endpoint) as proxy:
        s3.enter(monkeypatch, endpoint=proxy.url)
        yield proxy


@pytest.fixture
def store(url: str, proxy: TcpProxy) -> ObjectStore:
    return open_store(url, s3=QUICK)


CONTENT = bytes(range(256)) * 12 * 1024  # 3 MiB


def test_a_stream_that_breaks_goes_on_where_it_broke(store: ObjectStore, proxy: TcpProxy):
    proxy.faults = [Broken(down=MEBIBYTE), Broken(down=MEBIBYTE), Broken(down=100)]
    assert store.read_bytes("there") == CONTENT
    assert proxy.connections == 4


def test_pieces_that_break_off_go_on_where_they_broke(store: ObjectStore, proxy: TcpProxy):
    """Two breaks: of what is asked for from the start on, and of what is asked for from there."""
    proxy.faults = [Broken(down=MEBIBYTE), Broken(down=MEBIBYTE), Broken(down=100)]
    assert b"".join(store.stream("there", start=1000)) == CONTENT[1000:]
    assert proxy.connections >= 4


def test_a_file_is_fetched_in_parts_over_connections_that_break(
    store: ObjectStore, proxy: TcpProxy, direct: ObjectStore, tmp_path: Path
):
    content = CONTENT * 2
    direct.put_bytes("large", content)
    proxy.faults = [Broken(down=MEBIBYTE), Broken(down=MEBIBYTE), Broken(down=0)]
    got = store.get_file("large", tmp_path / "large")
    assert got.sha256 == sha256(content).hexdigest()
    assert (tmp_path / "large").read_bytes() == content
    assert proxy.connections >= 4


def test_a_file_arrives_in_parts_over_connections_that_break(
    store: ObjectStore, proxy: TcpProxy, direct: ObjectStore, tmp_path: Path
):
    source = tmp_path / "large"
    source.write_bytes(CONTENT * 2)
    proxy.faults = [Broken(up=MEBIBYTE), Broken(up=3 * MEBIBYTE), Broken(up=10)]
    stored = store.put_file("large", source)
    assert stored.sha256 == sha256(CONTENT * 2).hexdigest()
    assert stored.info == direct.stat("large")
    assert direct.read_bytes("large") == CONTENT * 2


def test_an_upload_that_fails_leaves_nothing(
    url: str, proxy: TcpProxy, direct: ObjectStore, tmp_path: Path
):
    source = tmp_path / "large"
    source.write_bytes(CONTENT * 2)
    store = open_store(url, s3=IMPATIENT)
    proxy.faults = [Broken(up=MEBIBYTE)] * ATTEMPTS
    with pytest.raises(StorageError, match=r"Cannot store 'large' in s3://.*Check network"):
        store.put_file("large", source)
    assert [info.key for info in direct.list()] == ["there"]
    assert uploads_of(url) == []


def test_a_server_that_is_busy_is_asked_again(store: ObjectStore, proxy: TcpProxy):
    proxy.faults = [Broken(answer=BUSY)] * (ATTEMPTS + 1)
    store.put_bytes("a", b"after the storm")
    assert store.read_bytes("a") == b"after the storm"


def test_a_server_that_stays_busy_is_given_up(url: str, proxy: TcpProxy):
    proxy.faults = [Broken(answer=BUSY)] * 100
    with pytest.raises(StorageError, match=r"SlowDown: .*busy: try again later"):
        open_store(url, s3=IMPATIENT).put_bytes("a", b"1")
    assert proxy.connections == ATTEMPTS


@pytest.mark.parametrize(
    ("status", "code"), [(507, "InsufficientStorage"), (403, "QuotaExceeded"), (507, "Full")]
)
def test_a_store_that_is_full_is_told_at_once(
    store: ObjectStore, proxy: TcpProxy, status: int, code: str
):
    proxy.faults = [Broken(answer=refusal(status, code))]
    with pytest.raises(StorageError, match=rf"{code}: .*Free space or raise the quota"):
        store.put_bytes("a", b"1")
    assert proxy.connections == 1


def test_an_answer_that_comes_late_is_waited_for(store: ObjectStore, proxy: TcpProxy):
    proxy.faults = [Broken(late=0.3)]
    assert store.read_bytes("there") == CONTENT
    assert proxy.connections == 1


def test_a_connection_that_hangs_is_given_up_for_another(store: ObjectStore, proxy: TcpProxy):
    proxy.faults = [Broken(late=30)]
    assert store.read_bytes("there") == CONTENT
    assert proxy.connections == 2


def test_a_server_that_hangs_is_told(url: str, proxy: TcpProxy):
    proxy.faults = [Broken(late=30)] * ATTEMPTS
    settings = IMPATIENT.model_copy(update={"answer_seconds": 0.2})
    with pytest.raises(StorageError, match=r"too slow: .*raise `s3\.answer_seconds`"):
        open_store(url, s3=settings).read_bytes("there")


def test_what_was_created_is_known_although_the_answer_was_lost(
    store: ObjectStore, proxy: TcpProxy
):
    proxy.faults = [Broken(down=0)]
    assert store.create("a", b"mine") is not None
    assert proxy.connections == 2
    assert store.create("a", b"mine") is None


USES: list[Callable[[ObjectStore], object]] = [
    lambda store: store.put_bytes("a", b"1"),
    lambda store: store.create("a", b"1"),
    lambda store: store.read_bytes("a"),
    lambda store: store.stat("a"),
    lambda store: list(store.list()),
    lambda store: store.delete("a"),
]


def said_of_each(store: ObjectStore, uses: list[Callable[[ObjectStore], object]]) -> list[str]:
    said: list[str] = []
    for use in uses:
        with pytest.raises(StorageError) as caught:
            use(store)
        said.append(str(caught.value))
    return said


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_credentials_are_told_and_never_shown(
    url: str, variable: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    monkeypatch.setenv(variable, "do-not-show-this")
    store = open_store(url, s3=IMPATIENT)
    for said in said_of_each(store, USES):
        assert "Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said
        assert url in said
        assert "do-not-show-this" not in said + repr(store) + caplog.text


def test_a_user_who_may_only_read_is_told(
    s3: S3Server, url: str, direct: ObjectStore, monkeypatch: pytest.MonkeyPatch
):
    direct.put_bytes("a", b"1")
    s3.enter(monkeypatch, "reader")
    store = open_store(url)
    assert store.read_bytes("a") == b"1"
    assert [info.key for info in store.list()] == ["a"]
    for said in said_of_each(store, [USES[0], USES[1], USES[-1]]):
        assert "AccessDenied" in said
        assert "Give this user the rights" in said
    assert direct.read_bytes("a") == b"1"


def test_a_bucket_that_is_missing_is_not_taken_for_an_empty_one(s3: S3Server):
    for said in said_of_each(open_store("s3://nothing-here/videos"), USES[2:5]):
        assert "Create the bucket, or correct the store's address" in said


def test_a_clock_that_is_wrong_is_told(url: str, monkeypatch: pytest.MonkeyPatch):
    import botocore.auth

    def an_hour_late(**zone: Any) -> datetime:
        return now(**zone) - timedelta(hours=1)

    now = botocore.auth.get_current_datetime
    monkeypatch.setattr(botocore.auth, "get_current_datetime", an_hour_late)
    for said in said_of_each(open_store(url), USES):
        assert "RequestTimeTooSkewed" in said
        assert "clocks of this machine and of the server differ" in said


def test_no_credentials_are_told(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for said in said_of_each(open_store(url), [*USES, lambda store: store.link("a")]):
        assert "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or" in said


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://127.0.0.1:1", "Nothing answers: check AWS_ENDPOINT_URL_S3"),
        ("127.0.0.1:1", "Correct the AWS_ variables"),
        ("http://me:secret@127.0.0.1:1", "AWS_ENDPOINT_URL_S3 holds credentials"),
    ],
)
def test_an_endpoint_that_is_wrong_is_told(
    url: str, endpoint: str, words: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    for said in said_of_each(open_store(url, s3=IMPATIENT), USES[:1]):
        assert words in said
        assert "secret@" not in said


def test_a_web_server_that_is_no_s3_server_is_told(
    s3: S3Server, url: str, monkeypatch: pytest.MonkeyPatch
):
    page = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 6\r\n\r\n<html>"
    with tcp_proxy(s3.endpoint) as proxy:
        s3.enter(monkeypatch, endpoint=proxy.url)
        for use in (USES[0], *USES[2:5]):
            proxy.faults = [Broken(answer=page)] * ATTEMPTS * 2
            (said,) = said_of_each(open_store(url, s3=IMPATIENT), [use])
            assert "check AWS_ENDPOINT_URL_S3" in said


def uploads_of(url: str) -> list[str]:
    """The keys of uploads in parts below a store that are under way."""
    found = s3_client(QUICK).list_multipart_uploads(Bucket=BUCKET, Prefix=url.rpartition("/")[2])
    return [upload["Key"] for upload in found.get("Uploads", ())]
