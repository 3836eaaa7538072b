"""A render that is cut short goes on in the next run: the same file, each attempt's own bill."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.support.quick_project import quick_copy
from tests.support.seaweed import S3Server
from tests.survival.hands import Hand
from tests.survival.scenes import PROMPTS, Scene, accepted
from wan_pipelines.encoding.manifest import VideoManifest
from wan_pipelines.encoding.publish import manifest_key, read_manifest
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.ledger.reports import edition_shots_view
from wan_pipelines.ledger.tables import ChargeRow, TakeRow
from wan_pipelines.ledger.whose import House
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.shards import OpenEngine, render
from wan_pipelines.studio.studio import Studio

STEPS = 6
STOPPED_AT = 4


def new_scene(
    folder: Path,
    weights: Path,
    ledger: Path,
    every_seconds: float | None,
    server: S3Server | None = None,
) -> Scene:
    """One shot of six steps, rendered by the real engine; kept in a bucket if there is a server."""
    project = quick_copy(folder, weights, ledger)
    project.release(tiers={"draft": {"steps": STEPS, "guidance": 2.0}})
    project.campaign(prompts=[PROMPTS[0]])
    store, checkpoints = (server.url(), server.url()) if server else ("store", "checkpoints")
    project.environment(
        store=store,
        workers={"count": 1, "threads": 1, "lease_seconds": 600},
        checkpoints={"every_seconds": every_seconds, "store": checkpoints},
    )
    return Scene(project, folder / "hands")


@pytest.fixture
def scenes(tmp_path: Path, tiny_folder: Path, migrated_ledger: Path) -> Iterator[list[Scene]]:
    """One to disturb and one to leave alone."""
    made = [
        new_scene(tmp_path / name, tiny_folder, migrated_ledger, 1e-6)
        for name in ("disturbed", "undisturbed")
    ]
    yield made
    for scene in made:
        scene.clean_up()


def finish(scene: Scene, open_engine: OpenEngine | None = None) -> list[str]:
    """Renders what is missing, in this process; what the worker said."""
    said: list[str] = []
    run, studio = RunReference("next", "shard_1"), scene.studio
    summary = render(studio, scene.shard(), run, say=said.append, open_engine=open_engine)
    assert summary.accepted == 1
    scene.publish()
    scene.check()
    return said


def manifest_of(scene: Scene) -> VideoManifest:
    (shot,) = edition_shots_view(scene.studio.ledger, scene.edition())
    assert shot.take_id
    key = manifest_key("demo", shot.render_key, shot.take_id)
    return read_manifest(scene.studio.store, key)


def charged(scene: Scene) -> dict[str, int]:
    """GPU-microseconds that takes were charged, by their outcome."""
    charges = (
        select(TakeRow.outcome, func.sum(ChargeRow.gpu_microseconds))
        .join(ChargeRow, ChargeRow.take_id == TakeRow.id)
        .group_by(TakeRow.outcome)
    )
    with scene.studio.ledger.read(House("audit")) as session:
        return {outcome: int(spent) for outcome, spent in session.execute(charges)}


def test_after_sigterm_the_next_run_goes_on_to_the_same_file(scenes: list[Scene]) -> None:
    disturbed, undisturbed = scenes
    hand = begun(disturbed, real_engine=True)
    hand.send(signal.SIGTERM)
    hand.go_on()
    assert any(f"kept after step {STOPPED_AT}" in words for words in hand.answer().said)
    said = finish(disturbed)
    assert any(f"went on after step {STOPPED_AT}" in words for words in said)
    finish(undisturbed)
    resumed, whole = manifest_of(disturbed), manifest_of(undisturbed)
    assert (resumed.resumed_steps, whole.resumed_steps) == (STOPPED_AT, 0)
    assert resumed.render_key == whole.render_key
    files = [{file.name: file.sha256 for file in each.renditions} for each in (resumed, whole)]
    assert files[0] == files[1]
    assert charged(disturbed).keys() == {"abandoned", "accepted"}
    assert min(charged(disturbed).values()) > 0
    assert not list(disturbed.studio.checkpoints.list())


def test_after_kill_9_the_next_run_goes_on_from_the_last_checkpoint(scenes: list[Scene]) -> None:
    scene, _ = scenes
    hand = begun(scene)
    hand.kill()
    said = finish(scene, null_engine)
    assert any(f"went on after step {STOPPED_AT}" in words for words in said)
    assert manifest_of(scene).resumed_steps == STOPPED_AT
    assert not list(scene.studio.checkpoints.list())


@pytest.mark.xdist_group("s3")
def test_after_kill_9_the_next_run_goes_on_from_a_checkpoint_in_a_bucket(
    tmp_path: Path, no_weights: Path, migrated_ledger: Path, s3: S3Server
) -> None:
    scene = new_scene(tmp_path, no_weights, migrated_ledger, 1e-6, s3)
    begun(scene, variables=s3.variables()).kill()
    said = finish(scene, null_engine)
    assert any(f"went on after step {STOPPED_AT}" in words for words in said)
    assert manifest_of(scene).resumed_steps == STOPPED_AT
    assert not list(scene.studio.checkpoints.list())
    assert not {"store", "checkpoints"} & {path.name for path in scene.project.state.iterdir()}


def begun(scene: Scene, **errand: Any) -> Hand:
    """A worker in the middle of its shot."""
    hand = scene.begin(scene.shard(), "first", wait_at=PROMPTS[0], wait_step=STOPPED_AT, **errand)
    hand.until_it_waits()
    return hand


def null_engine(studio: Studio, release: str) -> Engine:
    return NullEngine(studio.release(release))


def test_without_checkpoints_it_starts_over(
    tmp_path: Path, no_weights: Path, migrated_ledger: Path
) -> None:
    scene = new_scene(tmp_path, no_weights, migrated_ledger, None)
    hand = scene.begin(scene.shard(), "first", wait_at=PROMPTS[0])
    hand.until_it_waits()
    hand.send(signal.SIGTERM)
    hand.go_on()
    hand.answer()
    assert accepted(scene.run()) == 1
    assert manifest_of(scene).resumed_steps == 0
    assert not list(scene.studio.checkpoints.list())
