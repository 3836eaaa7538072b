"""Tiers that cannot work are refused when definitions load, by tier, reason and remedy."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tests.support.releases import REVISION, hub_release
from wan_pipelines.engines.releases import Release, read_releases
from wan_pipelines.engines.timesteps import timesteps

ASSETS = Path(__file__).parents[3] / "assets"
PLAIN = {"steps": 4, "guidance": 1.0}


def release_with(**tier: Any) -> Release:
    return hub_release(tiers={"fast": {**PLAIN, **tier}}, default_tier="fast", flow_shift=5.0)


def lora(expert: str, *timesteps: int) -> dict[str, Any]:
    return {
        "expert": expert,
        "repository": "somebody/loras",
        "revision": REVISION,
        "file": f"{expert}.safetensors",
        "size_bytes": 1000,
        "timesteps": timesteps,
    }


@pytest.mark.parametrize(
    ("tier", "words"),
    [
        ({"cache": {"kind": "tea"}}, "first_block"),
        ({"cache": {"kind": "first_block", "treshold": 0.1}}, "treshold"),
        ({"cache": {"kind": "first_block", "threshold": -1}}, "greater than 0"),
        ({"cache": {"kind": "mag"}}, "mag_ratios"),
        ({"cache": {"kind": "mag", "mag_ratios": [1.0]}}, "needed for the low-noise expert"),
        ({"cache": {"kind": "taylor_seer", "disable_cache_before_step": 0}}, "equal to 1"),
        ({"cache": {"kind": "pyramid_attention_broadcast"}}, "spatial_attention_block_skip_range"),
        ({"cache": {"kind": "faster"}, "guidance": 2.0}, "tiers.fast: cache faster mixes up"),
        ({"attention_backend": "flash_9"}, "_flash_3"),
        ({"attention_backend": "sage_hub"}, "_flash_3"),
        ({"quantisation": "int2"}, "int8_weight_only"),
        ({"layerwise_casting": "float16"}, "float8_e4m3fn"),
        ({"offload": "disk"}, "group"),
        ({"vae_tiling": {"tile_width": 100}}, "multiple of 16"),
        ({"vae_tiling": {"tile_width": 128, "stride_width": 192}}, "gaps between tiles"),
        ({"context_parallel": {"ulysses_degree": 1}}, "equal to 2"),
        (
            {"quantisation": "int8_dynamic", "layerwise_casting": "float8_e5m2"},
            "two ways of storing",
        ),
        ({"quantisation": "int8_dynamic", "offload": "group"}, "cannot be moved group by group"),
        (
            {"context_parallel": {"ulysses_degree": 2}, "cache": {"kind": "sea", "threshold": 0.2}},
            "wait for each other for ever",
        ),
        (
            {"context_parallel": {"ulysses_degree": 2}, "attention_backend": "xformers"},
            "choose one of _native_cudnn",
        ),
        ({"context_parallel": {"ulysses_degree": 2}, "offload": "model"}, "on every GPU"),
    ],
)
def test_refused(tier: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        release_with(**tier)


def test_a_schedule_must_be_the_one_a_lora_was_distilled_for() -> None:
    loras = [lora("high", 999, 937), lora("low", 833, 625)]
    assert release_with(loras=loras).tiers["fast"].loras[0].timesteps == (999, 937)
    for change in ({"steps": 8}, {"flow_shift": 12.0}, {"scheduler": "euler"}):
        with pytest.raises(ValidationError, match=r"distilled for timesteps \[999, 937\], and"):
            release_with(loras=loras, **change)
    with pytest.raises(ValidationError, match=r"low-noise LoRA was .* visits \[833, 625\]"):
        release_with(loras=[lora("low", 833)])


def test_the_four_step_tiers_of_the_model_this_is_made_for_visit_what_they_were_trained_on() -> (
    None
):
    release = read_releases(ASSETS)["wan2.2-t2v-a14b"]
    distilled = {name: tier for name, tier in release.tiers.items() if tier.loras}
    assert "draft" in distilled
    for name, tier in distilled.items():
        high, low = sorted(tier.loras, key=lambda lora: lora.expert)
        assert [*high.timesteps, *low.timesteps] == [999, 937, 833, 625]
        assert timesteps(release.sampling(name)) == (999, 937, 833, 625)
        sampling = release.sampling(name)
        assert (sampling.scheduler, sampling.flow_shift) == ("unipc", 5.0)


def test_tiers_of_one_engine_agree_on_where_it_rests() -> None:
    tiers = {"one": PLAIN, "two": {**PLAIN, "steps": 9, "offload": "model"}}
    with pytest.raises(ValidationError, match=r"tiers.two and tiers.one differ in offload"):
        hub_release(tiers=tiers, default_tier="one")
    tiers["two"] = {**tiers["two"], "layerwise_casting": "float8_e4m3fn"}
    release = hub_release(tiers=tiers, default_tier="one")
    assert release.loading(release.sampling("two").engine).offload == "model"
    assert release.loading(release.sampling("one").engine).offload == "none"


def test_options_are_checked_without_importing_torch(tmp_path: Path) -> None:
    data = yaml.safe_load((ASSETS / "models/wan-tiny/defs.yaml").read_text())
    data["attributes"]["tiers"]["cast"] = {
        **PLAIN,
        "layerwise_casting": "float8_e4m3fn",
        "cache": {"kind": "sea"},
        "attention_backend": "sage",
    }
    path = tmp_path / "defs.yaml"
    path.write_text(yaml.safe_dump(data))
    code = (
        "import sys; from pathlib import Path;"
        "from wan_pipelines.engines.releases import read_release;"
        f"print(read_release(Path({str(path)!r})).sampling('cast').options);"
        "assert not {'torch', 'diffusers', 'torchao'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert '"kind":"sea"' in done.stdout
