"""Options travel in requests as text, and decide their keys."""

import json
from dataclasses import fields, replace
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from tests.support.releases import hub_release, request_for
from wan_pipelines.engines.options import caches
from wan_pipelines.engines.options.caching import ExpertRun, cache_config
from wan_pipelines.engines.options.tier_options import (
    CONTEXT_PARALLEL_BACKENDS,
    AttentionBackend,
    EngineOptions,
    RequestOptions,
)

PLAIN = {"steps": 4, "guidance": 1.0}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "cached": {"cache": {"kind": "first_block"}},
    "cached more": {"cache": {"kind": "first_block", "threshold": 0.1}},
    "cached otherwise": {"cache": {"kind": "sea"}},
    "other attention": {"attention_backend": "_native_math"},
    "tiled": {"vae_tiling": {}},
    "cast": {"layerwise_casting": "float8_e4m3fn"},
    "quantised": {"quantisation": "int8_weight_only"},
    "spread": {"context_parallel": {"ulysses_degree": 2}},
}


def test_every_variant_has_a_key_of_its_own() -> None:
    tiers = {name: {**PLAIN, **options} for name, options in VARIANTS.items()}
    release = hub_release(tiers=tiers, default_tier="plain")
    keys = {
        name: request_for(release, "a ball", sampling=release.sampling(name)).key for name in tiers
    }
    assert len(set(keys.values())) == len(VARIANTS)


def test_where_models_rest_decides_no_key() -> None:
    tiers = [{"fast": {**PLAIN, "offload": offload}} for offload in ("none", "model", "group")]
    releases = [hub_release(tiers=each, default_tier="fast") for each in tiers]
    assert len({release.sampling("fast") for release in releases}) == 1
    assert len({release.identity for release in releases}) == 1


def test_text_is_read_back_and_nothing_else_is() -> None:
    release = hub_release(tiers={"fast": {**PLAIN, **VARIANTS["cached more"]}}, default_tier="fast")
    sampling = release.sampling("fast")
    assert json.loads(sampling.options) == {"cache": {"kind": "first_block", "threshold": 0.1}}
    assert RequestOptions.parse(sampling.options).cache == release.tiers["fast"].cache
    assert RequestOptions.parse("") == RequestOptions()
    assert (EngineOptions().text, RequestOptions().text) == ("", "")
    for text in ('{"cache": {"kind": "pickle"}}', '{"run": "rm"}', "["):
        with pytest.raises(ValidationError):
            RequestOptions.parse(text)


def test_defaults_are_in_the_text_since_they_decide_pixels() -> None:
    tiers = {"fast": {**PLAIN, "cache": {"kind": "first_block"}}}
    assert "0.05" in hub_release(tiers=tiers, default_tier="fast").sampling("fast").options


def test_parameters_are_those_of_diffusers_with_its_defaults() -> None:
    part = ExpertRun(is_high_noise=True, steps=4, timestep=lambda: 0.0)
    given: dict[str, dict[str, Any]] = {
        "mag": {"mag_ratios": [1.0]},
        "pyramid_attention_broadcast": {"spatial_attention_block_skip_range": 2},
    }
    ours = {"kind", "mag_ratios", "mag_ratios_2", "attention_weight", "taylor_factors_dtype"}
    for record in get_args(get_args(caches.Cache)[0]):
        kind = get_args(record.model_fields["kind"].annotation)[0]
        cache = record(kind=kind, **given.get(kind, {}))
        config = cache_config(cache, part)
        defaults = {field.name: field.default for field in fields(config)}
        for name in record.model_fields.keys() - ours - given.get(kind, {}).keys():
            assert getattr(cache, name) == defaults[name] == getattr(config, name), name


def test_attention_backends_are_those_of_diffusers() -> None:
    from diffusers.models.attention_dispatch import AttentionBackendName, _AttentionBackendRegistry

    named = set(get_args(AttentionBackend))
    assert named <= {name.value for name in AttentionBackendName}
    assert named >= CONTEXT_PARALLEL_BACKENDS
    parallel = set(map(str, _AttentionBackendRegistry._supports_context_parallel))
    assert named & parallel == CONTEXT_PARALLEL_BACKENDS
    assert not [name for name in named if "hub" in name]


def test_a_request_survives_json_with_its_options() -> None:
    release = hub_release(tiers={"fast": {**PLAIN, **VARIANTS["cached"]}}, default_tier="fast")
    request = request_for(release, "a ball", sampling=release.sampling("fast"))
    again = type(request).from_json(json.loads(json.dumps(request.to_json())))
    assert again == request
    bare = replace(request, sampling=replace(request.sampling, options="", engine=""))
    old = json.loads(json.dumps(bare.to_json()))
    del old["sampling"]["options"], old["sampling"]["engine"]
    assert type(request).from_json(old) == bare
