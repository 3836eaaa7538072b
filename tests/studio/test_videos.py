from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines import __version__
from wan_pipelines.encoding.manifest import VideoManifest
from wan_pipelines.encoding.probe import probe
from wan_pipelines.encoding.publish import manifest_key, read_manifest
from wan_pipelines.errors import RenderError
from wan_pipelines.ledger.reports import edition_shots_view, run_costs, videos
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.videos import publish
from wan_pipelines.studio.watch import compare

BALL, BOX = "a-red-ball-rising--square--s1", "a-blue-box-falling--square--s1"


def manifests(studio: Studio, campaign: str = "balls", edition: str = "one") -> list[VideoManifest]:
    found = videos(studio.ledger, "demo", campaign, edition)
    keys = [manifest_key(video.tenant, video.render_key, video.take_id) for video in found]
    return [read_manifest(studio.store, key) for key in keys]


def test_a_manifest_tells_everything_about_its_video(quick_project: Project):
    quick_project.campaign(prompts=["a red ball rising"], renditions=["h264", "h264-half"])
    studio = quick_project.studio()
    render_edition(studio)
    (manifest,) = manifests(studio)
    (video,) = videos(studio.ledger, "demo")
    release = studio.release("sample")
    assert (manifest.prompt, manifest.seed, manifest.tenant) == ("a red ball rising", 1, "demo")
    assert (manifest.shape.width, manifest.shape.frames, manifest.shape.fps) == (32, 5, 8)
    assert (manifest.tier, manifest.sampling.steps) == ("draft", 2)
    assert (manifest.release, manifest.release_identity) == ("sample", release.identity)
    assert list(manifest.weights.files) == ["model_index.json"]
    assert (manifest.engine, manifest.code_version) == ("null", __version__)
    assert manifest.fingerprint["threads"] == 1
    assert (manifest.run_id, manifest.step_key) == ("run", "shard_1")
    assert (manifest.render_key, manifest.take_id) == (video.render_key, video.take_id)
    assert manifest.charge_micro_usd == video.cost_micro_usd > 0
    names = ["h264", "h264-half", "poster", "preview"]
    assert [file.name for file in manifest.renditions] == names
    assert {file.name: file.sha256 for file in manifest.renditions}["h264"] == video.sha256
    parents = {parent.kind: parent.name for parent in manifest.parents}
    assert parents.keys() == {"release", "weights", "brief", "edition"}
    assert (parents["brief"], parents["edition"]) == ("balls", "balls/one")


def test_the_charges_of_manifests_are_all_that_was_paid(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    paid = sum(run.paid_micro_usd for run in run_costs(studio.ledger, "demo"))
    assert sum(manifest.charge_micro_usd or 0 for manifest in manifests(studio)) == paid > 0


def test_a_reused_video_keeps_the_manifest_and_charge_of_who_made_it(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    before = manifests(studio)
    quick_project.campaign("more")
    plan = render_edition(quick_project.studio(), "first", "more")
    assert plan.counts == {"reused": 2}
    assert manifests(studio) == before == manifests(studio, "more", "first")
    assert all(video.cost_micro_usd == 0 for video in videos(studio.ledger, "demo", "more"))


def test_files_that_another_campaign_wants_as_well_are_derived(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    before = manifests(studio)
    quick_project.campaign("more", renditions=["h264", "h264-half", "av1"])
    render_edition(quick_project.studio(), "first", "more")
    for old, new in zip(before, manifests(studio), strict=True):
        added = new.renditions[len(old.renditions) :]
        assert new.renditions[: len(old.renditions)] == old.renditions
        assert [file.name for file in added] == ["h264-half", "av1"]
        assert new.charge_micro_usd == old.charge_micro_usd
    shots = edition_shots_view(studio.ledger, edition_key(studio, "more", "first"))
    files = {file.name: file for file in shots[0].renditions}
    half = probe(Path(files["h264-half"].uri.removeprefix("file://")))
    assert (half.width, half.height, half.frames, half.codec) == (16, 16, 5, "h264")


def test_a_manifest_that_does_not_tell_of_a_derived_file_yet_is_completed(quick_project: Project):
    quick_project.campaign(prompts=["a red ball rising"])
    studio = quick_project.studio()
    render_edition(studio)
    (video,) = videos(studio.ledger, "demo")
    key = manifest_key("demo", video.render_key, video.take_id)
    before = studio.store.read_bytes(key)
    quick_project.campaign("more", prompts=["a red ball rising"], renditions=["h264", "h264-half"])
    after = quick_project.studio()
    render_edition(after, "first", "more")
    studio.store.put_bytes(key, before)  # as if whoever derived it had been killed then
    publish(after, edition_key(after, "more", "first"))
    names = [file.name for file in read_manifest(studio.store, key).renditions]
    assert names == ["h264", "poster", "preview", "h264-half"]


def test_publishing_again_writes_no_manifest_anew(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    edition = edition_key(studio, "balls", "one")
    found = sorted((quick_project.state / "store").rglob("manifest.json"))
    before = [path.stat().st_mtime_ns for path in found]
    publish(studio, edition)
    assert [path.stat().st_mtime_ns for path in found] == before


def test_a_lost_file_is_told_and_does_not_keep_the_others_from_being_shown(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    lost = next((quick_project.state / "store").rglob("manifest.json"))
    lost.unlink()
    published = publish(studio, edition_key(studio, "balls", "one"))
    assert [Path(output.file).name for output in published.broken] == ["manifest.json"]
    assert studio.store.stat(published.pages.page)


def test_what_is_not_accounted_for_is_what_has_neither_video_nor_refusal(quick_project: Project):
    quick_project.campaign(prompts=["a red ball rising", "a blue box falling", "x" * 600])
    studio = quick_project.studio()
    render_edition(studio, faults={"a red ball rising": RenderError("No.", stage="text")})
    published = publish(studio, edition_key(studio, "balls", "one"))
    assert [(shot.shot, shot.error_message) for shot in published.unaccounted] == [(BALL, "No.")]
    assert published.broken == ()
    assert (published.totals.accepted, published.totals.shots) == (1, 3)


@pytest.mark.parametrize("renditions", [["h264-half"], ["av1"]])
def test_there_is_always_a_file_of_full_size_to_derive_others_from(
    quick_project: Project, renditions: list[str]
):
    quick_project.campaign(prompts=["a red ball rising"], renditions=renditions)
    studio = quick_project.studio()
    render_edition(studio)
    quick_project.campaign("more", prompts=["a red ball rising"], renditions=["h264", "h264-half"])
    render_edition(quick_project.studio(), "first", "more")
    (shot,) = edition_shots_view(studio.ledger, edition_key(studio, "more", "first"))
    assert {"h264", "h264-half"} <= {file.name for file in shot.renditions}


RATES = [
    {"name": "slow", "width": 32, "height": 32, "fps": 8},
    {"name": "quick", "width": 32, "height": 32, "fps": 16},
    {"name": "brisk", "width": 32, "height": 32, "fps": 16},
]


def rates(studio: Studio, campaign: str = "balls", edition: str = "one") -> dict[str, float]:
    """By shape, the rate at which its file really plays."""
    found = videos(studio.ledger, "demo", campaign, edition)
    played = {video.shot: probe(Path(video.uri.removeprefix("file://"))) for video in found}
    assert {video.shot: Fraction(video.fps) for video in found} == {
        shot: file.fps for shot, file in played.items()
    }
    return {shot.split("--")[1]: float(file.fps) for shot, file in played.items()}


def test_shots_that_differ_in_their_rate_only_are_rendered_once_and_shown_at_each(
    quick_project: Project,
):
    quick_project.campaign(
        prompts=["a red ball rising"], shapes=RATES, renditions=["h264", "h264-half"]
    )
    studio = quick_project.studio()
    plan = render_edition(studio)
    assert plan.counts == {"admitted": 1, "duplicate": 2}
    assert rates(studio) == {"slow": 8, "quick": 16, "brisk": 16}
    edition = edition_key(studio, "balls", "one")
    slow, quick, brisk = edition_shots_view(studio.ledger, edition)
    assert [file.name for file in slow.renditions] == ["h264", "h264-half", "poster", "preview"]
    names = ["poster", "preview", "h264-16fps", "h264-half-16fps"]
    assert [file.name for file in quick.renditions] == names
    assert brisk.renditions == quick.renditions
    assert {file.duration_seconds for file in quick.renditions[2:]} == {5 / 16}
    assert (slow.attempts, quick.attempts, brisk.attempts) == (1, 0, 0)
    manifest = manifests(studio)[0]
    assert {file.name: file.fps for file in manifest.renditions}["h264-16fps"] == 16
    before = list((quick_project.state / "store").rglob("*.mp4"))
    publish(studio, edition)
    assert list((quick_project.state / "store").rglob("*.mp4")) == before


def test_a_campaign_that_reuses_a_video_shows_it_at_its_own_rate(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    quick_project.campaign("more", fps=12)
    plan = render_edition(quick_project.studio(), "first", "more")
    assert plan.counts == {"reused": 2}
    assert rates(studio, "more", "first") == {"square": 12}
    assert rates(studio) == {"square": 8}


def test_another_rate_in_the_brief_makes_files_and_no_takes(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    for fps in (12, 8):
        quick_project.campaign(fps=fps)
        after = quick_project.studio()
        edition = edition_key(after, "balls", "one")
        concern = compare(after, edition, datetime.now(UTC))
        assert set(concern.reasons.values()) == {"lacking a rendition"}
        render_edition(after, only=concern.shots)
        assert compare(after, edition, datetime.now(UTC)).shots == ()
        assert rates(after) == {"square": fps}
    assert {shot.attempts for shot in edition_shots_view(studio.ledger, edition)} == {1}
