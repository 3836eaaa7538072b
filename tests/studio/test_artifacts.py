"""Compiled code is loaded if the ledger names its digest, whatever lies in the store."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.artifacts import SEEN, TEXT_TOKENS, built_artifact, no_compiler
from tests.support.project import Project, new_project
from wan_pipelines.engines.artifacts.packages import Unusable, check_package
from wan_pipelines.errors import EngineError
from wan_pipelines.ledger.artifacts import artifact_for
from wan_pipelines.storage.keys import artifact_key
from wan_pipelines.studio.artifacts import LedgerShelf, publish_artifacts

__all__ = ["no_compiler", "tiny_folder"]

from tests.support.tiny_pipeline import tiny_folder

pytestmark = [pytest.mark.xdist_group("artifacts"), pytest.mark.timeout(900)]


def project_of(tmp_path: Path, weights: Path, compiled: str) -> Project:
    project = new_project(tmp_path / "project", weights)
    project.release(
        max_sequence_length=TEXT_TOKENS,
        tiers={"draft": SEEN, "fast": {**SEEN, "compiled": compiled}},
    )
    return project


@pytest.fixture
def project(tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = project_of(tmp_path, tiny_folder, "if_built")
    made.enter(monkeypatch)
    return made


def test_a_published_artifact_is_found_by_its_key_and_on_record(project: Project) -> None:
    built = built_artifact()
    studio = project.studio()
    shelf = LedgerShelf(studio, "run 7")
    shelf.publish(built)
    artifact = shelf.find(built.key, "sample")
    check_package(shelf.read(artifact), artifact)
    record = artifact_for(studio.ledger, built.key.digest)
    assert record
    assert record.built_by == "run 7"
    assert record.provenance["compiler"] == built.provenance.compiler
    assert built.sha256 in artifact.place
    assert built.key.digest in artifact.place


def test_what_is_only_in_the_store_is_not_loaded(project: Project) -> None:
    built = built_artifact()
    studio = project.studio()
    place = artifact_key(built.key.digest, f"{built.sha256}.pt2")
    studio.store.put_bytes(place, built.data)
    with pytest.raises(Unusable, match="none was built for sample"):
        LedgerShelf(studio, "").find(built.key, "sample")


def test_what_somebody_put_in_its_place_is_not_loaded(project: Project) -> None:
    built = built_artifact()
    studio = project.studio()
    shelf = LedgerShelf(studio, "")
    artifact = shelf.publish(built)
    studio.store.put_bytes(artifact.place, built.data[:-1] + b"!")
    with pytest.raises(Unusable, match="not what was signed off"):
        check_package(shelf.read(artifact), artifact)
    studio.store.delete(artifact.place)
    with pytest.raises(Unusable, match="Cannot read"):
        shelf.read(artifact)


def test_a_stale_artifact_is_named_with_what_has_changed(project: Project) -> None:
    built = built_artifact()
    shelf = LedgerShelf(project.studio(), "")
    stale = type(built.key).of({**dict(built.key.parts), "torch": "1.0", "threads": "64"})
    shelf.publish(replace(built, key=stale))
    with pytest.raises(Unusable, match=r"differs in threads \(64 there, 1 here\); torch \(1.0 "):
        shelf.find(built.key, "sample")


@pytest.mark.usefixtures("no_compiler")
def test_the_asset_finds_what_was_built_before(project: Project) -> None:
    built = built_artifact()
    studio = project.studio()
    prepared = studio.prepare("sample")
    (missing,) = publish_artifacts(studio, prepared, "run 1")
    assert missing.state == "not built"
    assert "no C++ compiler" in missing.why
    LedgerShelf(studio, "run 2").publish(built)
    (found,) = publish_artifacts(studio, prepared, "run 3")
    assert (found.state, found.sha256) == ("there already", built.sha256)
    assert found.experts == ("transformer", "transformer_2")


@pytest.mark.usefixtures("no_compiler")
def test_the_asset_fails_where_a_tier_could_never_be_rendered(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(tmp_path, tiny_folder, "always")
    project.enter(monkeypatch)
    studio = project.studio()
    with pytest.raises(EngineError, match=r"no C\+\+ compiler"):
        publish_artifacts(studio, studio.prepare("sample"), "run 1")


def test_nothing_is_built_that_no_tier_asks_for(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = new_project(tmp_path / "project", tiny_folder)
    project.enter(monkeypatch)
    studio = project.studio()
    assert publish_artifacts(studio, studio.prepare("sample"), "run 1") == ()
