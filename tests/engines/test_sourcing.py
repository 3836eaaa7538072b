"""Where a release's weights come from, and that a mirror changes none of its pixels."""

from pathlib import Path
from threading import Event

import numpy as np
import pytest

from tests.support.releases import REVISION, folder_release, hub_release, request_for
from wan_pipelines.engines.reference import load_reference_engine
from wan_pipelines.engines.releases import read_releases
from wan_pipelines.engines.requests import Sampling
from wan_pipelines.engines.sourcing import lora_source, mirrored_sets
from wan_pipelines.errors import WeightsError
from wan_pipelines.places import project_root
from wan_pipelines.storage import FolderStore
from wan_pipelines.weights.events import tell_nobody
from wan_pipelines.weights.headers import read_header
from wan_pipelines.weights.manifest import Conversion
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.mirrored import MirroredSource, Supply
from wan_pipelines.weights.mirroring.origins import open_folder
from wan_pipelines.weights.mirroring.publish import Publication, Wish
from wan_pipelines.weights.pins import Pin
from wan_pipelines.weights.sources import HubSource

EXPERTS = ("transformer", "transformer_2")
HUB = {"repository": "a/b", "revision": REVISION, "files": ["*.json"], "size_bytes": 10}


@pytest.fixture
def mirror(tmp_path: Path) -> WeightsMirror:
    return WeightsMirror(FolderStore(tmp_path / "store", durable=False))


def test_converted_experts_draw_the_same_pixels(
    mirror: WeightsMirror, tiny_folder: Path, tmp_path: Path
) -> None:
    """Half the bytes: what diffusers rounds when it loads is rounded before."""
    from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

    kept = tuple(WanTransformer3DModel._keep_in_fp32_modules or ())
    conversion = Conversion(bfloat16=EXPERTS, keep=kept, shard_bytes=20_000)
    origin = open_folder(tiny_folder)
    pin = Pin(name="sample", revision=origin.revision)
    wish = Wish(pin, origin, conversion, "bfloat16", "Apache-2.0")
    Publication(mirror, wish, tmp_path, tell_nobody, Event()).run()
    fetched = MirroredSource(pin, Supply(lambda: mirror)).ensure(tmp_path / "cache")
    release = folder_release(tiny_folder, dtype="bfloat16", vae_dtype="float32")
    request = request_for(release, "a red ball", sampling=Sampling(2, 2.0, 1.5, 3.0, "unipc", 16))
    one, other = (
        load_reference_engine(release, weights, threads=1).render(request).frames
        for weights in (release.weights_source().ensure(tmp_path), fetched)
    )
    assert np.array_equal(one, other)
    assert len(list((fetched.path / "transformer").glob("*.safetensors"))) > 1
    assert tensor_bytes(fetched.path) < 0.7 * tensor_bytes(tiny_folder)


def tensor_bytes(folder: Path) -> int:
    """Of both experts."""
    files = (file for expert in EXPERTS for file in (folder / expert).glob("*.safetensors"))
    return sum(header.size_bytes for file in files for header in read_header(file))


def test_what_is_shipped_keeps_in_float32_what_diffusers_does() -> None:
    from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

    release = read_releases(project_root() / "assets")["wan2.2-t2v-a14b"]
    converted = [each for each in mirrored_sets(release) if each.mirroring.bfloat16]
    assert len(converted) == 2
    for each in converted:
        assert set(WanTransformer3DModel._keep_in_fp32_modules or ()) <= set(each.mirroring.keep)


def test_all_that_a_release_loads_is_mirrored() -> None:
    release = read_releases(project_root() / "assets")["wan2.2-t2v-a14b"]
    model, image, high, low = mirrored_sets(release)
    assert model.pin == Pin(
        name="wan2.2-t2v-a14b", revision="5be7df9619b54f4e2667b2755bc6a756675b5cd7"
    )
    assert image.pin.name == "wan2.2-t2v-a14b.image-to-video"
    assert high.hub
    assert low.hub
    assert high.hub.files != low.hub.files
    assert high.pin.name != low.pin.name
    for lora in release.all_loras:
        source = lora_source(release, lora, Supply())
        assert isinstance(source, MirroredSource)
        assert source.pin in (high.pin, low.pin)


def test_a_release_that_names_no_mirror_is_fetched_from_the_hub() -> None:
    release = hub_release()
    assert mirrored_sets(release) == ()
    assert isinstance(release.weights_source(), HubSource)


def test_where_the_mirror_has_nothing_the_hub_is_asked_if_that_is_allowed(
    mirror: WeightsMirror, tmp_path: Path
) -> None:
    release = hub_release(source={**HUB, "mirror": {}})
    with pytest.raises(WeightsError, match="wan weights mirror"):
        release.weights_source(Supply(lambda: mirror)).ensure(tmp_path)
    source = release.weights_source(Supply(lambda: mirror, allow_download=True))
    assert isinstance(source, MirroredSource)
    assert isinstance(source.otherwise, HubSource)


def test_without_an_environment_there_is_no_store(tmp_path: Path) -> None:
    release = hub_release(source={**HUB, "mirror": {}})
    assert release.weights_source().present(tmp_path) is None
    with pytest.raises(WeightsError, match="none is known here"):
        release.weights_source().ensure(tmp_path)


def test_weights_that_are_only_mirrored_are_pinned_by_their_content() -> None:
    source = {"mirrored": "sample", "revision": "v1", "content": "0" * 64}
    release = hub_release(source=source)
    (only,) = mirrored_sets(release)
    assert only.pin == Pin(name="sample", revision="v1", content="0" * 64)
    assert only.hub is None
    renamed = hub_release(source={**source, "mirrored": "elsewhere", "revision": "v2"})
    assert renamed.identity == release.identity
    assert hub_release(source={**source, "content": "1" * 64}).identity != release.identity
