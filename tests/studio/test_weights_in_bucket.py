"""From a folder into a bucket, from the bucket onto a node, and into an engine that renders."""

import json
from pathlib import Path
from threading import Event as Flag
from typing import Any

import numpy as np
import pytest
import yaml

from tests.support.project import Project
from tests.support.releases import request_for
from tests.support.seaweed import S3Server
from wan_pipelines.engines.estimating.architecture import read_architecture
from wan_pipelines.engines.releases import Release
from wan_pipelines.places import project_root
from wan_pipelines.studio.engines import open_release_engine
from wan_pipelines.studio.mirror_jobs import Order
from wan_pipelines.studio.mirroring import mirror_weights
from wan_pipelines.studio.node_weights import NodeWeights
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.supply import weights_mirror
from wan_pipelines.weights.events import Event
from wan_pipelines.weights.pins import Pin
from wan_pipelines.weights.sources import PackagedSource

pytestmark = pytest.mark.xdist_group("s3")

PROMPT = "a red ball moving to the right on a black background"
TINY = Path(__file__).parents[2] / "assets" / "models" / "wan-tiny" / "defs.yaml"


@pytest.fixture
def deployment(quick_project: Project, s3: S3Server) -> Project:
    """`wan-tiny` as it is shipped, in a deployment that keeps weights in a bucket."""
    quick_project.environment(weights={"store": s3.url(), "parallel": 4})
    attributes = yaml.safe_load(TINY.read_text())["attributes"]
    quick_project.release(**{**attributes, "name": "wan-tiny", "architecture": None})
    return quick_project


def mirrored(deployment: Project, name: str) -> tuple[Pin, list[Event]]:
    """The shipped weights mirrored under a name: what a release may pin, and what was told."""
    told: list[Event] = []
    order = Order(name=name, source=str(PackagedSource("wan-tiny").path), licence="Apache-2.0")
    settings = deployment.studio().settings
    mirror_weights(project_root(), deployment.state, settings, order, told.append, Flag())
    published = told[-1].to_json()
    pin = Pin(name=name, revision=published["revision"], content=published["content"])
    return pin, told


def release_from(deployment: Project, pin: Pin, **changes: Any) -> None:
    """A release of the shipped model's attributes, whose weights come from the mirror."""
    attributes = yaml.safe_load(TINY.read_text())["attributes"]
    architecture = read_architecture(PackagedSource("wan-tiny").path).model_dump(mode="json")
    source = {"mirrored": pin.name, "revision": pin.revision, "content": pin.content}
    changed = {"name": "from-store", "source": source, "architecture": architecture, **changes}
    deployment.release(**{**attributes, **changed})


def frames(studio: Studio, release: str) -> np.ndarray:
    engine = open_release_engine(studio, release)
    sampling = engine.release.sampling("draft")
    request = request_for(
        engine.release, PROMPT, sampling=sampling, width=128, height=128, frames=9
    )
    return engine.render(request).frames


def test_an_engine_renders_with_what_was_mirrored_and_fetched(
    deployment: Project, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin, _ = mirrored(deployment, "tiny-in-store")
    release_from(deployment, pin)
    s3.enter(monkeypatch, "reader")  # nodes write nothing there
    studio = deployment.studio()
    shipped, stored = studio.release("wan-tiny"), studio.release("from-store")
    assert stored.identity == shipped.identity  # the same weights draw the same videos
    folder = studio.weights("from-store")
    assert folder.verified
    assert folder.path.is_relative_to(deployment.state / "cache" / "weights" / "mirrored")
    assert np.array_equal(frames(studio, "from-store"), frames(studio, "wan-tiny"))


def test_a_second_upload_of_the_same_is_none(deployment: Project) -> None:
    mirrored(deployment, "twice")
    _, told = mirrored(deployment, "twice")
    assert told[-1].to_json()["uploaded_bytes"] == 0
    mirror = weights_mirror(deployment.state, deployment.studio().settings)
    assert [pin.name for pin in mirror.pins()] == ["twice"]
    assert list(mirror.store.list("weights-uploads/")) == []


def test_a_node_lists_checks_and_evicts(deployment: Project) -> None:
    pin, _ = mirrored(deployment, "tiny-in-store")
    release_from(deployment, pin)
    told: list[Event] = []
    studio = deployment.studio()
    node = NodeWeights(deployment.root, deployment.state, studio.settings, told.append, Flag())
    rows = {row.release: row for row in node.rows(ask_store=True)}
    assert (rows["from-store"].here, rows["from-store"].mirrored) == ("absent", True)
    assert rows["wan-tiny"].here == "at hand"
    node.fetch("from-store")
    row = next(row for row in node.rows(ask_store=False) if row.release == "from-store")
    assert (row.here, row.in_use, row.mirrored) == ("whole", True, None)
    assert row.disk_bytes >= 7_000_000
    assert list(node.verify("from-store")) == []
    assert list(node.evict("from-store")) == [f"{pin.label} is in use, and stays."]
    assert json.dumps([event.to_json() for event in told])


def test_a_release_of_the_hub_is_told_apart_by_nothing_but_its_pin(deployment: Project) -> None:
    """Where weights come from decides no pixels: turning the mirror on renders nothing again."""
    attributes = yaml.safe_load(TINY.read_text())["attributes"]
    architecture = read_architecture(PackagedSource("wan-tiny").path).model_dump(mode="json")
    hub = {"repository": "a/b", "revision": "0" * 40, "files": ["*"], "size_bytes": 1}
    plain, turned_on = (
        Release.model_validate({**attributes, "source": source, "architecture": architecture})
        for source in (hub, {**hub, "mirror": {"bfloat16": ["transformer"]}})
    )
    assert plain.identity == turned_on.identity
