"""An edition that is rendered on a server, by a worker that has no model."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine_server import engine_server
from tests.support.fault_proxy import Answer, Fault, FaultProxy, fault_proxy, reset, status
from tests.support.project import Project, new_project
from tests.support.tiny_pipeline import tiny_folder
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.reports import edition_totals, run_costs
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio import costs, planning, shards, videos
from wan_pipelines.studio.deployment_checks import check_deployment
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.engines import server_named
from wan_pipelines.studio.studio import Studio

__all__ = ["tiny_folder"]

KEY = "k" * 32


@pytest.fixture(scope="module")
def rendered(
    tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path
) -> Iterator[tuple[Studio, FaultProxy]]:
    """A campaign of two shots on a server in a process of its own, with faults on the way."""
    project = new_project(tmp_path_factory.mktemp("project"), tiny_folder)
    with pytest.MonkeyPatch.context() as patch:
        project.enter(patch)
        patch.setenv("FARM_KEY", KEY)
        served = project.studio().release("sample")
        with (
            engine_server(project, WAN_ENGINE_KEYS=f"studio:{KEY}") as (_, address),
            fault_proxy(address) as proxy,
        ):
            _declare(project, proxy.url, served.identity)
            studio = project.studio()
            proxy.faults += FAULTS
            _render(studio)
            yield studio, proxy


FAULTS = (
    Fault("POST", "/v1/videos", reset),
    Fault("GET", "/v1/videos", status(500)),
    Fault("GET", "/content", lambda answer: Answer(200, {}, answer.body[:1000])),
)


def _declare(project: Project, address: str, identity: str) -> None:
    served = {"server": "farm", "kind": "wan", "model": "sample", "version": identity}
    project.release("elsewhere", source=served)
    project.campaign(release="elsewhere")
    farm = {"address": address, "key": {"env": "FARM_KEY"}, "poll_seconds": 0.1}
    project.environment(servers={"farm": farm})


def _render(studio: Studio) -> None:
    planning.admit(studio, "balls", "one")
    key = edition_key(studio, "balls", "one")
    for shard in shards.cut(studio, key):
        shards.render(studio, shard, RunReference("run", shard.name), say=lambda words: None)
    videos.publish(studio, key)
    costs.settle(studio, key)


def test_every_shot_is_rendered_once_and_paid_as_by_a_local_worker(
    rendered: tuple[Studio, FaultProxy],
) -> None:
    studio, proxy = rendered
    totals = edition_totals(studio.ledger, edition_key(studio, "balls", "one"))
    assert (totals.accepted, totals.failed) == (2, 0)
    (run,) = run_costs(studio.ledger, "demo")
    assert run.takes == 2
    assert run.paid_micro_usd == run.charged_micro_usd > 0
    assert not [fault for fault in proxy.faults if fault.method == "POST"]


def test_manifests_say_what_rendered(rendered: tuple[Studio, FaultProxy]) -> None:
    studio, _ = rendered
    identity = studio.release("sample").identity
    manifests = [
        json.loads(path.read_text()) for path in (studio.state / "store").rglob("manifest.json")
    ]
    assert len(manifests) == 2
    for manifest in manifests:
        assert manifest["engine"] == f"remote wan {identity}"
        assert manifest["fingerprint"]["gpu"] == manifest["engine"]
        assert manifest["fingerprint"]["torch"] == ""
        assert manifest["release_identity"] == studio.release("elsewhere").identity != identity
        assert list(manifest["weights"]["files"]) == ["served.json"]
        assert KEY not in json.dumps(manifest)


def test_a_local_render_of_the_same_shot_is_another_video(
    rendered: tuple[Studio, FaultProxy],
) -> None:
    studio, _ = rendered

    def key(shot: Shot) -> str:
        return shot.render_key

    remote = {key(shot) for shot in studio.shots("balls")}
    local = Project(studio.root, studio.root)
    local.campaign(release="sample")
    assert remote.isdisjoint(key(shot) for shot in studio.shots("balls"))
    local.campaign(release="elsewhere")


def test_the_doctor_asks_the_server(rendered: tuple[Studio, FaultProxy]) -> None:
    studio, _ = rendered
    (found,) = [f for f in check_deployment(studio) if f.check == "release elsewhere"]
    assert (found.state, found.message[:24]) == ("ok", "its server renders it (r")


def test_a_server_that_is_not_declared_is_named(rendered: tuple[Studio, FaultProxy]) -> None:
    studio, _ = rendered
    with pytest.raises(InputError, match="Did you mean 'farm'"):
        server_named(studio.settings, "fram")
