"""What a machine cannot do is told when its engine is prepared, by tier and option."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.releases import folder_release, hub_release
from wan_pipelines.engines.options.probing import check_options
from wan_pipelines.engines.prepare import prepare
from wan_pipelines.errors import EngineError
from wan_pipelines.weights.mirrored import Supply

PLAIN = {"steps": 4, "guidance": 1.0}


def release_with(**tier: Any) -> Any:
    return hub_release(tiers={"fast": {**PLAIN, **tier}}, default_tier="fast", dtype="float32")


@pytest.mark.parametrize(
    ("tier", "words"),
    [
        ({"attention_backend": "sage"}, r"attention_backend sage of tier fast .*sageattention"),
        ({"attention_backend": "_flash_3"}, "_flash_3 of tier fast"),
        ({"attention_backend": "_native_cudnn"}, "_native_cudnn of tier fast does not work here"),
    ],
)
def test_a_backend_that_does_not_work_here(tier: dict[str, Any], words: str) -> None:
    with pytest.raises(EngineError, match=words):
        check_options(release_with(**tier), "cpu")


def test_quantisation_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchao", None)
    with pytest.raises(EngineError, match=r"wan-pipelines\[quantisation\]"):
        check_options(release_with(quantisation="int8_weight_only"), "cpu")


def test_a_cache_that_diffusers_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass
    class Renamed:
        sensitivity: float = 0.1

    monkeypatch.setattr("diffusers.hooks.FirstBlockCacheConfig", Renamed)
    with pytest.raises(EngineError, match=r"cache first_block of tier fast.*threshold"):
        check_options(release_with(cache={"kind": "first_block"}), "cpu")


def test_preparing_tells_before_weights_are_fetched(tmp_path: Path) -> None:
    release = release_with(attention_backend="sage")
    with pytest.raises(EngineError, match="sage of tier fast"):
        prepare(release, tmp_path, supply=Supply(allow_download=True))
    assert not list(tmp_path.iterdir())


def test_what_works_here_passes(tiny_folder: Path, tmp_path: Path) -> None:
    tiers = {
        "plain": PLAIN,
        "all": {
            **PLAIN,
            "cache": {"kind": "taylor_seer", "use_lite_mode": True},
            "attention_backend": "_native_math",
        },
    }
    release = folder_release(tiny_folder, dtype="float32", tiers=tiers, default_tier="plain")
    assert prepare(release, tmp_path, threads=1).release is release
