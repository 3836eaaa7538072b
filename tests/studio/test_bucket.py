"""A deployment whose videos and checkpoints are kept in a bucket."""

import hashlib
import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from starlette.testclient import TestClient

from tests.support.project import Project
from tests.support.renders import render_edition
from tests.support.seaweed import S3Server
from wan_pipelines.errors import StorageError
from wan_pipelines.ledger.reports import Video, output_files, videos
from wan_pipelines.pages.server import bucket_gallery
from wan_pipelines.studio.checkpoints import checkpoints_of
from wan_pipelines.studio.doctor import examine
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.outputs import broken_outputs
from wan_pipelines.studio.page import pages_of
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.tracing import find

pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture
def deployment(quick_project: Project, s3: S3Server) -> Project:
    quick_project.campaign(prompts=["a red ball rising"])
    quick_project.environment(store=s3.url(), checkpoints={"store": s3.url()}, links=None)
    return quick_project


@pytest.fixture
def studio(deployment: Project) -> Studio:
    studio = deployment.studio()
    render_edition(studio)
    return studio


def fetched(url: str, **headers: str) -> bytes:
    with urlopen(Request(url, headers=headers), timeout=20) as answer:
        return answer.read()


def video_of(studio: Studio) -> Video:
    (video,) = videos(studio.ledger, "demo")
    return video


def test_a_campaign_is_rendered_and_seen_through_links_that_expire(studio: Studio):
    files = {file.key.rpartition("/")[2]: file for file in output_files(studio.ledger, "demo")}
    link = studio.link(files["h264.mp4"].key)
    content = fetched(link)
    assert hashlib.sha256(content).hexdigest() == files["h264.mp4"].sha256
    assert fetched(link, Range="bytes=4-7") == b"ftyp"

    manifest = files["h264.mp4"].key.replace("h264.mp4", "manifest.json")
    assert json.loads(fetched(studio.link(manifest)))["render_key"] == video_of(studio).render_key
    page = pages_of(edition_key(studio, "balls", "one")).page
    assert b"a red ball rising" in fetched(studio.link(page))

    for wrong in (link.partition("?")[0], link.replace("h264.mp4", "poster.webp")):
        with pytest.raises(HTTPError, match="403") as refused:
            fetched(wrong)
        refused.value.close()


def test_an_edition_that_is_there_is_found_whole_and_not_rendered_again(studio: Studio):
    edition = edition_key(studio, "balls", "one")
    before = video_of(studio)
    assert before.uri.startswith("s3://videos/")
    assert list(broken_outputs(studio, edition)) == []
    render_edition(studio)
    assert video_of(studio) == before

    (video,) = (f for f in output_files(studio.ledger, "demo") if f.key.endswith(".mp4"))
    studio.store.delete(video.key)
    assert [broken.reason for broken in broken_outputs(studio, edition)] == [f"{video.key} is lost"]


def test_an_address_or_a_link_leads_to_the_lineage(studio: Studio):
    video = video_of(studio)
    (file,) = (f for f in output_files(studio.ledger, "demo") if f.key.endswith(".mp4"))
    for name in (video.uri, studio.link(file.key), studio.link(file.key).partition("?")[0]):
        assert find(studio, name, "demo").take_id == video.take_id, name


def test_the_gallery_hands_on_pages_and_leads_to_files(studio: Studio):
    visitor = TestClient(
        bucket_gallery(studio.store, ["demo", "small"]), base_url="http://localhost"
    )
    assert "Balls" in visitor.get("/").text
    (file,) = (f for f in output_files(studio.ledger, "demo") if f.key.endswith(".mp4"))
    led = visitor.get(f"/{file.key}", follow_redirects=False)
    assert hashlib.sha256(fetched(led.headers["Location"])).hexdigest() == file.sha256
    for wrong in ("/tenants/demo/nothing.html", "/../etc/passwd", "/tenants/%2e%2e/x", "/small/"):
        assert visitor.get(wrong).status_code == 404, wrong
    assert visitor.put(f"/{file.key}", content=b"x").status_code == 405


def test_checkpoints_are_found_by_another_machine(deployment: Project):
    key = "a" * 64
    checkpoints_of(deployment.studio(), "demo").save(key, b"half a shot")
    elsewhere = deployment.studio()
    assert checkpoints_of(elsewhere, "demo").load(key, 100) == b"half a shot"
    assert checkpoints_of(elsewhere, "small").load(key, 100) is None
    assert not (deployment.state / "checkpoints").exists()


def test_a_bucket_that_is_not_there_is_no_bucket_whose_videos_are_lost(
    studio: Studio, deployment: Project
):
    deployment.environment(store="s3://gone-with-everything/videos", links=None)
    with pytest.raises(StorageError, match=r"NoSuchBucket.*Create the bucket, or correct"):
        render_edition(deployment.studio())
    assert video_of(studio).uri.startswith("s3://videos/")


def test_the_doctor_asks_the_bucket(
    deployment: Project, s3: S3Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    findings = examine(deployment.root, deployment.state, "local")
    (said,) = (finding for finding in findings if finding.check == "store and ledger")
    assert said.state == "problem"
    assert "Correct AWS_ACCESS_KEY_ID" in said.message
