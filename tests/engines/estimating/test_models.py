"""Dimensions and sizes: read from weights that are here, counted for those that are not."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.releases import ARCHITECTURE
from wan_pipelines.engines.estimating.architecture import Architecture, read_architecture
from wan_pipelines.engines.estimating.models import counted_parameters, model_of
from wan_pipelines.engines.releases import read_releases
from wan_pipelines.errors import EngineError, WeightsError
from wan_pipelines.places import project_root
from wan_pipelines.weights.sources import PackagedSource

TINY = Architecture.model_validate(ARCHITECTURE)


def test_configurations_tell_the_dimensions(tiny_folder: Path) -> None:
    assert read_architecture(tiny_folder) == TINY


@pytest.mark.parametrize("name", ["wan-tiny", "tiny_folder"])
def test_headers_and_dimensions_agree(name: str, request: pytest.FixtureRequest) -> None:
    packaged = name == "wan-tiny"
    folder = PackagedSource(name).path if packaged else request.getfixturevalue(name)
    model = model_of(None, folder)
    assert model.counted_from == "headers"
    assert model.parameters == counted_parameters(model.architecture)


def test_what_is_not_here_is_counted(tmp_path: Path) -> None:
    for folder in (None, tmp_path / "gone"):
        model = model_of(TINY, folder)
        assert (model.architecture, model.counted_from) == (TINY, "dimensions")
    with pytest.raises(EngineError, match="declares no `architecture`"):
        model_of(None, None)


def test_the_published_expert_has_as_many_numbers_as_its_card_says() -> None:
    release = read_releases(project_root() / "assets")["wan2.2-t2v-a14b"]
    model = model_of(release.architecture, None)
    assert model.parameters.expert == release.facts.parameters["transformer"] == 14_288_491_584
    assert model.parameters.text_encoder * 2 == pytest.approx(11.36e9, rel=0.001)
    assert model.parameters.vae * 4 == pytest.approx(0.51e9, rel=0.01)


def test_weights_other_than_declared_are_told_by_field(tiny_folder: Path) -> None:
    wider = TINY.transformer.model_copy(update={"layers": 40})
    declared = TINY.model_copy(update={"transformer": wider})
    with pytest.raises(EngineError, match=r"transformer\.layers is 2, not 40"):
        model_of(declared, tiny_folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_layers": 10**9}, "layers"),
        ({"num_layers": "two"}, "layers"),
        ({"ffn_dim": None}, "ffn_dim"),
        ({"patch_size": 2}, "not iterable"),
    ],
)
def test_an_absurd_configuration_is_refused(
    tiny_folder: Path, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "copy")
    path = folder / "transformer" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(WeightsError, match=words):
        read_architecture(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", "{}"])
def test_a_file_that_is_no_configuration_is_refused(
    tiny_folder: Path, tmp_path: Path, content: str
) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "copy")
    (folder / "vae" / "config.json").write_text(content)
    with pytest.raises(WeightsError, match=r"vae|configurations"):
        read_architecture(folder)
