"""Releases: what a defs.yaml says, what is refused, and what their identity depends on."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.releases import REVISION, folder_release, hub_release
from wan_pipelines.engines.releases import Release, read_release, read_releases
from wan_pipelines.engines.requests import Sampling
from wan_pipelines.errors import InputError, WeightsError
from wan_pipelines.weights.manifest import Manifest
from wan_pipelines.weights.mirrored import MirroredSource, Supply
from wan_pipelines.weights.sources import FolderSource, HubSource, PackagedSource

ASSETS = Path(__file__).parents[2] / "assets"


def write_release(assets: Path, folder: str, attributes: dict[str, Any]) -> Path:
    path = assets / "models" / folder / "defs.yaml"
    path.parent.mkdir(parents=True)
    document = {"type": "wan_pipelines.components.ModelRelease", "attributes": attributes}
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def attributes(**changes: Any) -> dict[str, Any]:
    return {**json.loads(hub_release().model_dump_json(exclude_defaults=True)), **changes}


def test_the_model_this_is_made_for_is_described_as_published() -> None:
    release = read_releases(ASSETS)["wan2.2-t2v-a14b"]
    assert (release.boundary_ratio, release.dtype, release.fps) == (0.875, "bfloat16", 16)
    assert release.sampling("reference") == Sampling(40, 4.0, 3.0, 12.0, "unipc", 512)
    draft = release.sampling("draft")
    assert (draft.steps, draft.guidance, draft.guidance_2, draft.flow_shift) == (4, 1, 1, 5)
    assert [lora.expert for lora in release.loras(draft.loras)] == ["high", "low"]
    shapes = {(size.width, size.height) for size in release.sizes.offered}
    assert shapes == {(1280, 720), (720, 1280), (832, 480), (480, 832)}
    assert isinstance(release.weights_source(), MirroredSource)


def test_every_field_is_described_for_editors() -> None:
    schema = Release.model_json_schema()
    models = {"Release": schema, **schema["$defs"]}
    missing = [
        f"{model}.{name}"
        for model, definition in models.items()
        for name, field in definition.get("properties", {}).items()
        if not field.get("description")
    ]
    assert not missing


def test_reads_a_folder_of_releases(tmp_path: Path) -> None:
    write_release(tmp_path, "one", attributes(name="one"))
    write_release(tmp_path, "two", attributes(name="two"))
    assert list(read_releases(tmp_path)) == ["one", "two"]
    again = write_release(tmp_path, "three", attributes(name="one"))
    with pytest.raises(InputError, match="another release of the name 'one'") as caught:
        read_releases(tmp_path)
    assert caught.value.where == str(again)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"boundary_ratio": 1.5}, "boundary_ratio", "less than 1"),
        ({"bounary_ratio": 0.9}, "bounary_ratio", "Did you mean 'boundary_ratio'"),
        ({"architecture": None}, "attributes", "need an `architecture`"),
        ({"architecture": {"transformer": {"layers": 0}}}, "architecture", "greater than or equal"),
        ({"default_tier": "best"}, "attributes", "none of tiers: draft, standard"),
        ({"boundary_ratio": None}, "attributes", "guidance_2 needs a boundary_ratio"),
        ({"source": {"url": "http://x"}}, "source", "`repository` or `server`"),
        ({"source": {"package": "../evil"}}, "source.package", "pattern"),
        ({"needs": {"cuda": "12.1 or later"}}, "needs.cuda", "no version range"),
        ({"frames": {"min": 5, "max": 80, "default": 9}}, "frames", r"max 80 is not 4 \* k \+ 1"),
        (
            {"sizes": {"multiple_of": 32, "offered": [{"name": "a", "width": 48, "height": 64}]}},
            "sizes",
            "not made of multiples of 32",
        ),
    ],
)
def test_an_unacceptable_release_is_refused_by_line_and_field(
    tmp_path: Path, changes: dict[str, Any], field: str, words: str
) -> None:
    path = write_release(tmp_path, "sample", attributes(**changes))
    with pytest.raises(InputError, match=words) as caught:
        read_release(path)
    assert field in str(caught.value)
    assert str(path) in caught.value.where


@pytest.mark.parametrize("revision", ["main", "v1.0", REVISION[:12]])
def test_a_moving_revision_is_refused(tmp_path: Path, revision: str) -> None:
    source = {**attributes()["source"], "revision": revision}
    with pytest.raises(InputError, match="revision"):
        read_release(write_release(tmp_path, "sample", attributes(source=source)))


def test_identity_follows_what_decides_pixels() -> None:
    base = hub_release()
    other_pin = {**attributes()["source"], "revision": "f" * 40}
    decisive = [
        {"source": other_pin},
        {"dtype": "float32"},
        {"vae_dtype": "bfloat16"},
        {"boundary_ratio": 0.9},
        {"vae_tiling": True},
    ]
    identities = {hub_release(**change).identity for change in decisive}
    assert len(identities | {base.identity}) == len(decisive) + 1
    for change in ({"name": "renamed"}, {"title": "Other"}, {"offload": "model"}, {"fps": 24}):
        assert hub_release(**change).identity == base.identity


def test_weights_in_a_folder_are_pinned_by_content(tmp_path: Path) -> None:
    for name, content in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(content)
        (tmp_path / name / "README.md").write_text(name)
        Manifest.build(tmp_path / name, release=name, dtype="float32").write(tmp_path / name)
    a, b, c = (folder_release(tmp_path / name).identity for name in "abc")
    assert a == b != c


def test_sources_follow_the_declaration(tmp_path: Path) -> None:
    packaged = hub_release(source={"package": "wan-tiny"})
    assert packaged.weights_source() == PackagedSource("wan-tiny")
    assert folder_release(tmp_path).weights_source() == FolderSource(tmp_path)
    hub = hub_release().weights_source(Supply(allow_download=True))
    assert isinstance(hub, HubSource)
    assert (hub.repository, hub.revision, hub.allow_download) == ("somebody/sample", REVISION, True)
    with pytest.raises(WeightsError, match="no manifest"):
        _ = folder_release(tmp_path).identity


def test_names_that_do_not_exist_get_a_hint() -> None:
    release = hub_release()
    with pytest.raises(InputError, match="Did you mean 'standard'"):
        release.sampling("standart")
    with pytest.raises(InputError, match="Plan the shot again"):
        release.loras("f" * 64)


def test_a_tier_takes_from_the_release_what_it_leaves_out() -> None:
    release = hub_release(flow_shift=7.0, max_sequence_length=64)
    assert release.sampling("draft") == Sampling(4, 1.0, 1.0, 7.0, "unipc", 64)
    assert release.sampling("standard") == Sampling(6, 2.0, 1.5, 7.0, "unipc", 64)
