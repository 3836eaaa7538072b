"""The gallery shows the files of a store, and nothing else."""

import socket
import time
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from wan_pipelines.pages.server import gallery, serving

HERE = "http://127.0.0.1:3070"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store" / "tenants" / "demo"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<title>all editions</title>")
    (folder / "clip.mp4").write_bytes(bytes(range(100)))
    (tmp_path / "secret.txt").write_text("not in the store")
    return tmp_path / "store"


@pytest.fixture
def visitor(store: Path) -> TestClient:
    return TestClient(gallery(store), base_url=HERE)


def test_the_front_door_leads_to_the_editions(visitor: TestClient) -> None:
    assert "all editions" in visitor.get("/").text


def test_a_video_can_be_sought_in(visitor: TestClient) -> None:
    piece = visitor.get("/tenants/demo/clip.mp4", headers={"Range": "bytes=10-19"})
    assert piece.status_code == 206
    assert piece.content == bytes(range(10, 20))


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/tenants/..%2f..%2f..%2fsecret.txt"]
)
def test_nothing_outside_the_store_is_shown(visitor: TestClient, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_links_out_of_the_store_are_not_followed(store: Path, visitor: TestClient) -> None:
    (store / "out").symlink_to(store.parent / "secret.txt")
    assert visitor.get("/out").status_code == 404


def test_nothing_can_be_written(visitor: TestClient) -> None:
    assert visitor.put("/tenants/demo/clip.mp4", content=b"x").status_code == 405


def test_before_anything_is_rendered_nothing_is_there(tmp_path: Path) -> None:
    visitor = TestClient(gallery(tmp_path / "store"), base_url=HERE)
    assert visitor.get("/tenants/demo/").status_code == 404
    assert "nothing has been rendered yet" in visitor.get("/").text.lower()


def test_a_name_that_was_made_to_mean_this_machine_is_not_answered(store: Path) -> None:
    visitor = TestClient(gallery(store), base_url="http://evil.example")
    assert visitor.get("/tenants/demo/").status_code == 400


def test_an_empty_store_says_that_nothing_was_made_yet(tmp_path: Path) -> None:
    answer = TestClient(gallery(tmp_path), base_url=HERE).get("/")
    assert answer.status_code == 200
    assert "nothing has been rendered yet" in answer.text.lower()


def test_a_browser_that_has_paused_a_video_does_not_keep_it_open(store: Path) -> None:
    with (store / "long.mp4").open("wb") as video:
        video.truncate(1 << 30)
    at = socket.create_server(("127.0.0.1", 0))
    with closing(socket.create_connection(at.getsockname())) as browser:
        with serving(gallery(store), at):
            browser.sendall(b"GET /long.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert browser.recv(100).startswith(b"HTTP/1.1 200")
            began = time.monotonic()
        assert time.monotonic() - began < 10
