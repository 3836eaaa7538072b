from urllib.parse import unquote, urljoin

import pytest

from wan_pipelines.errors import InputError
from wan_pipelines.pages.links import common_base, file_href, relative_href, site_href


@pytest.mark.parametrize(
    "href",
    [
        "poster.webp",
        "../../../videos/ab/poster.webp",
        "./a%3Ab.mp4",
        "a/b:c.mp4",
        "file:///srv/wan/poster.webp",
        "https://videos.example.com/a.mp4?X-Amz-Signature=a/b&x=%20",
        "名前.mp4",
    ],
)
def test_pages_may_load_relative_local_and_encrypted_addresses(href: str) -> None:
    assert file_href(href) == href


@pytest.mark.parametrize(
    "href",
    [
        "",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        " javascript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "s3://bucket/key",
        "http://videos.example.com/a.mp4",
        "//evil.example/a.mp4",
        "/etc/passwd",
        "\\\\evil\\share",
        "..\\a.mp4",
        "https:///a.mp4",
        "https://",
        "file://evil.example/share",
        "a b.mp4",
        "a\x00.mp4",
        "a.mp4\n",
    ],
)
def test_other_addresses_are_refused_with_a_remedy(href: str) -> None:
    with pytest.raises(InputError, match=r"not an address a page may load.*https://"):
        file_href(href)


def test_sites_to_visit_may_also_be_unencrypted() -> None:
    assert site_href("http://127.0.0.1:3000/runs/1") == "http://127.0.0.1:3000/runs/1"
    assert site_href("https://dagster.example.com/runs/1") == "https://dagster.example.com/runs/1"
    for bad in ("javascript:alert(1)", "http:///x", "ftp://x/y", "http://a b"):
        with pytest.raises(InputError):
            site_href(bad)


@pytest.mark.parametrize(
    ("page", "key", "href"),
    [
        (
            "tenants/acme/campaigns/demo/2025-11-22/index.html",
            "tenants/acme/videos/ab/abc/t1/h264.mp4",
            "../../../videos/ab/abc/t1/h264.mp4",
        ),
        ("index.html", "tenants/acme/poster.webp", "tenants/acme/poster.webp"),
        ("a/index.html", "a/index.html", "index.html"),
        ("a/index.html", "a/50% #1?.mp4", "50%25%20%231%3F.mp4"),
        ("a/index.html", "a/javascript:x", "javascript%3Ax"),
    ],
)
def test_pages_find_their_neighbours_in_the_store(page: str, key: str, href: str) -> None:
    assert relative_href(page, key) == href
    assert file_href(href) == href
    store = "file:///store/"
    assert unquote(urljoin(store + page, href)) == store + key


@pytest.mark.parametrize(
    ("hrefs", "base"),
    [
        ([], ""),
        (["a/b.mp4"], "a/"),
        (["a/b/c.mp4", "a/b/d.mp4", "a/bb/e.mp4"], "a/"),
        (["a.mp4", "b.mp4"], ""),
        (["https://x/a?s=1/2", "https://x/b?s=1/2"], "https://x/"),
    ],
)
def test_addresses_share_whole_folders_only(hrefs: list[str], base: str) -> None:
    assert common_base(hrefs) == base
