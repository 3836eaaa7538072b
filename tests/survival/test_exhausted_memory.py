"""Memory that really gives out: each shot is drawn with less, in the end, and all adds up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.support.project import ENVIRONMENT
from tests.support.quick_project import quick_copy
from tests.survival.scenes import Scene
from tests.survival.starving import SWITCHING, WHOLE, WORKER_LIMIT
from wan_pipelines.encoding.publish import manifest_key, read_manifest
from wan_pipelines.ledger.reports import ShotView, edition_shots_view, videos
from wan_pipelines.ledger.tables import TakeRow
from wan_pipelines.ledger.whose import House

SMALL = 32
TILE = {"tile_height": 64, "tile_width": 64, "stride_height": 48, "stride_width": 48}
RELEASE = {
    "ladder": [{"name": "tiles", "vae_tiling": TILE}, {"name": "light", "tier": "light"}],
    "tiers": {"draft": {"steps": 4, "guidance": 1.0}, "light": {"steps": 2, "guidance": 1.0}},
    "sizes": {
        "multiple_of": 16,
        "offered": [
            {"name": f"side-{side}", "width": side, "height": side}
            for side in (SMALL, SWITCHING, WHOLE)
        ],
    },
}
ONE_VIDEO_EACH = {
    "count": 1,
    "threads": 1,
    "lease_seconds": 600,
    "memory_limit_gib": WORKER_LIMIT >> 30,
    # Nothing is encoded while memory is short: what is tested is the engine.
    "recycle_after_videos": 1,
}


@pytest.fixture
def scene(tmp_path: Path, tiny_folder: Path, migrated_ledger: Path) -> Iterator[Scene]:
    """Three shots of the real engine, each of a shape of its own."""
    project = quick_copy(tmp_path, tiny_folder, migrated_ledger)
    project.release(**RELEASE)
    shapes = [f"side-{side}" for side in (SMALL, SWITCHING, WHOLE)]
    project.campaign(prompts=["a red ball rising"], shapes=shapes, frames=17)
    tenants = {"demo": {**ENVIRONMENT["tenants"]["demo"], "degradation": "allowed"}}
    project.environment(workers=ONE_VIDEO_EACH, tenants=tenants)
    made = Scene(project, tmp_path / "hands")
    yield made
    made.clean_up()


def shots_by_width(scene: Scene) -> dict[int, ShotView]:
    found = edition_shots_view(scene.studio.ledger, scene.edition())
    return {shot.request["width"]: shot for shot in found}


def errors_of(scene: Scene) -> list[tuple[str, str]]:
    """Stage and words of every take that failed, in order."""
    query = select(TakeRow.error_stage, TakeRow.error_message).where(TakeRow.outcome == "failed")
    with scene.studio.ledger.read(House("audit")) as session:
        found = session.execute(query.order_by(TakeRow.started_at)).all()
    return [(stage or "", words or "") for stage, words in found]


def test_memory_gives_out_while_loading_at_the_switch_and_while_decoding(scene: Scene) -> None:
    answer = scene.begin(scene.shard(), supervised=True, starving=True).answer()
    assert (answer.error, answer.message) == ("", "")
    assert (answer.summary["accepted"], answer.summary["failed"]) == (3, [])
    scene.publish()
    scene.check()

    # Loading ends in an error or in an abort: its libraries are written in three languages.
    errors = errors_of(scene)
    assert [stage for stage, _ in errors] == ["load", "switch", "decode"]
    assert "DefaultCPUAllocator: can't allocate memory" in errors[2][1]
    shots = shots_by_width(scene)
    assert {side: shot.rungs for side, shot in shots.items()} == {
        SMALL: ("light",),
        SWITCHING: ("light",),
        WHOLE: ("tiles",),
    }
    assert all(shot.degraded and shot.attempts == 2 for shot in shots.values())
    assert {video.drawn_tier for video in videos(scene.studio.ledger, "demo")} == {"light", "draft"}

    tiled = shots[WHOLE]
    manifest = read_manifest(
        scene.studio.store, manifest_key("demo", tiled.render_key, tiled.take_id or "")
    )
    assert manifest.requested
    assert (manifest.requested.rungs, manifest.requested.changes_pixels) == (("tiles",), True)
    assert "vae_tiling" in manifest.sampling.options
    assert manifest.requested.sampling.options == ""
    assert manifest.resumed_steps == 4, "what was denoised was not denoised again"
