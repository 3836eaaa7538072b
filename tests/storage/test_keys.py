from os.path import normpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.errors import StorageError
from wan_pipelines.storage.keys import check_key, checkpoints_prefix, page_key, video_key


def test_where_videos_and_pages_lie():
    assert video_key("acme", "ab12", "t1", "h264.mp4") == "tenants/acme/videos/ab/ab12/t1/h264.mp4"
    assert page_key("acme", "demo", "2026-01") == "tenants/acme/campaigns/demo/2026-01/index.html"
    assert checkpoints_prefix("acme") == "tenants/acme/checkpoints/"
    assert page_key("acme", "demo", "2026-01", "a.css").endswith("/2026-01/a.css")


@pytest.mark.parametrize(
    "tenant", ["", "..", "a/b", "../other", ".", "/", "a\\b", "a\nb", ".staging"]
)
def test_no_name_reaches_into_another_tenant(tenant: str):
    with pytest.raises(StorageError):
        video_key(tenant, "ab12", "t1", "h264.mp4")
    with pytest.raises(StorageError):
        checkpoints_prefix(tenant)
    with pytest.raises(StorageError):
        page_key("acme", tenant, "2026-01")


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("a/../b", "leaves its store"),
        ("/a", "slash"),
        ("a/.b", "hidden part '.b'"),
        ("a\x00", "control character"),
        ("ü" * 128, "part longer than 255 bytes"),
        ("", "empty"),
    ],
)
def test_the_error_says_what_is_wrong(key: str, problem: str):
    with pytest.raises(StorageError, match=problem) as caught:
        check_key(key)
    assert repr(key) in str(caught.value)


@given(st.text(alphabet="ab./\\\x00é~", max_size=12))
def test_an_accepted_key_stays_below_its_root(key: str):
    try:
        check_key(key)
    except StorageError:
        return
    assert normpath(f"/store/{key}") == f"/store/{key}"
    assert "/." not in f"/{key}"
