"""From the engine's asset to the take: workers draw with code that the ledger names."""

from pathlib import Path

import dagster as dg
import pytest

from tests.components.launching import Launches, metadata_of
from tests.support.artifacts import SEEN, TEXT_TOKENS, built_artifact, no_compiler
from tests.support.project import Project, new_project
from tests.support.tiny_pipeline import tiny_folder
from wan_pipelines.encoding.manifest import MANIFEST_NAME, Compilation
from wan_pipelines.encoding.publish import read_manifest
from wan_pipelines.ledger.reports import videos
from wan_pipelines.storage.keys import video_key
from wan_pipelines.studio.artifacts import LedgerShelf

__all__ = ["no_compiler", "tiny_folder"]

pytestmark = [pytest.mark.xdist_group("artifacts"), pytest.mark.timeout(900)]


@pytest.fixture
def project(tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = new_project(tmp_path / "project", tiny_folder)
    made.release(
        max_sequence_length=TEXT_TOKENS,
        tiers={"draft": SEEN, "fast": {**SEEN, "compiled": "if_built"}},
    )
    made.enter(monkeypatch)
    return made


def launched(launches: Launches, edition: str, seed: int) -> dg.ExecuteInProcessResult:
    launches.project.campaign(prompts=["a red ball"], seeds=[seed], tier="fast")
    result = launches.campaign(edition)
    assert result.success
    return result


def compilation_of(project: Project, edition: str) -> Compilation:
    """What the manifest of an edition's only video says of the code that drew it."""
    studio = project.studio()
    (video,) = videos(studio.ledger, "demo", edition=edition)
    key = video_key("demo", video.render_key, video.take_id, MANIFEST_NAME)
    manifest = read_manifest(studio.store, key)
    assert manifest
    return manifest.compilation


@pytest.mark.usefixtures("no_compiler")
def test_what_the_asset_finds_draws_in_workers(project: Project) -> None:
    """Nothing is there at first; then it is there as if another run had built it."""
    built = built_artifact()
    launches = Launches(project, dg.DagsterInstance.ephemeral(), {})
    eager = metadata_of(launched(launches, "one", seed=1), "balls", "takes")
    assert (eager["artifact_hits"], eager["artifact_misses"]) == (0, 1)
    assert eager["why_not_compiled"].records[0].data["reason"] == "none was built for sample"
    assert compilation_of(project, "one").missed == "none was built for sample"
    LedgerShelf(project.studio(), "another run").publish(built)
    run = launched(launches, "two", seed=2)
    found = metadata_of(run, "engine", "sample")["artifacts"].records[0].data
    assert (found["state"], found["sha256"]) == ("there already", built.sha256)
    compiled = metadata_of(run, "balls", "takes")
    assert (compiled["artifact_hits"], compiled["artifact_misses"]) == (1, 0)
    assert "why_not_compiled" not in compiled
    assert compilation_of(project, "two").artifacts == (built.sha256,)
