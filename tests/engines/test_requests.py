import json
import time
from dataclasses import fields, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.engines.requests import RenderRequest, Sampling

guidances = st.floats(min_value=0, max_value=30)
samplings = st.builds(
    Sampling,
    steps=st.integers(1, 100),
    guidance=guidances,
    guidance_2=guidances,
    flow_shift=guidances,
    scheduler=st.sampled_from(["unipc", "euler"]),
    max_sequence_length=st.integers(1, 512),
    loras=st.sampled_from(["", "ab" * 32]),
    engine=st.sampled_from(["", '{"quantisation":"int8_dynamic"}']),
    options=st.sampled_from(["", '{"cache":{"kind":"sea"}}']),
)
requests = st.builds(
    RenderRequest,
    release=st.text(),
    release_identity=st.text(),
    prompt=st.text(),
    negative_prompt=st.text(),
    seed=st.integers(0, 2**63 - 1),
    width=st.integers(16, 1280),
    height=st.integers(16, 1280),
    frames=st.integers(1, 161),
    sampling=samplings,
)
SHOT = RenderRequest(
    release="toy",
    release_identity="1f" * 32,
    prompt="a red ball",
    negative_prompt="blurry",
    seed=7,
    width=96,
    height=64,
    frames=17,
    sampling=Sampling(12, 3.0, 2.0, 3.0, "unipc", 512),
)


@given(requests)
def test_requests_survive_json_with_their_key(request: RenderRequest) -> None:
    again = RenderRequest.from_json(json.loads(json.dumps(request.to_json())))
    assert again == request
    assert again.key == request.key


def test_the_key_of_a_shot_is_the_same_in_every_release_of_this_software() -> None:
    assert SHOT.key == ("2153d791c87a1cb60e36288bbd10b3512e82a29603fbf65e2b9b3ad617325aae")


@given(requests, requests)
def test_the_key_changes_exactly_when_something_that_decides_pixels_does(
    one: RenderRequest, other: RenderRequest
) -> None:
    for field in fields(RenderRequest):
        changed = replace(one, **{field.name: getattr(other, field.name)})
        decides = changed != one and field.name != "release"
        assert (changed.key != one.key) == decides, field.name
    for field in fields(Sampling):
        value = getattr(other.sampling, field.name)
        changed = replace(one, sampling=replace(one.sampling, **{field.name: value}))
        assert (changed.key != one.key) == (changed != one), field.name


def test_whole_numbers_and_their_floats_are_the_same_guidance() -> None:
    whole: Any = 3
    assert replace(SHOT, sampling=replace(SHOT.sampling, guidance=whole)).key == SHOT.key


def test_ten_thousand_keys_take_no_time() -> None:
    started = time.process_time()
    keys = {replace(SHOT, seed=seed).key for seed in range(10_000)}
    assert len(keys) == 10_000
    assert time.process_time() - started < 1
