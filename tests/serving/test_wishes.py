"""What can be drawn is ordered, what cannot is refused with what can."""

from typing import Any

import pytest

from tests.support.releases import hub_release
from wan_pipelines.serving.problems import Refusal
from wan_pipelines.serving.wishes import Order, Wish, order_of

RELEASE = hub_release(default_negative_prompt="grey")


def order(**fields: Any) -> Order:
    return order_of(Wish.of({"prompt": "a ball", **fields}), RELEASE)


def test_what_is_left_out_is_the_releases_choice() -> None:
    made = order()
    request = made.request
    assert (request.width, request.height, request.frames, made.fps) == (64, 64, 9, 16)
    assert request.negative_prompt == "grey"
    assert request.sampling == RELEASE.sampling("standard")
    assert request.release_identity == RELEASE.identity


def test_without_a_seed_each_video_is_another() -> None:
    assert order().request.seed != order().request.seed


def test_numbers_of_forms_are_text() -> None:
    made = order(seed="3", num_frames="13", guidance_scale="2.5", lossless="true")
    assert (made.request.seed, made.request.frames, made.lossless) == (3, 13, True)
    assert made.request.sampling.guidance == 2.5


def test_one_guidance_holds_for_both_experts_and_two_for_one_each() -> None:
    assert order(guidance_scale=3).request.sampling.guidance_2 == 3
    both = order(guidance_scale=3, guidance_scale_2=4).request.sampling
    assert (both.guidance, both.guidance_2) == (3, 4)


def test_a_tier_is_asked_for_by_name_and_changed_by_numbers() -> None:
    assert order(tier="draft").request.sampling == RELEASE.sampling("draft")
    assert order(tier="draft", num_inference_steps=7).request.sampling.steps == 7


@pytest.mark.parametrize(("seconds", "frames"), [("5", 81), ("1", 17), (0.5, 9), (2, 33)])
def test_seconds_become_the_nearest_length_that_can_be_drawn(seconds: Any, frames: int) -> None:
    assert order(seconds=seconds).request.frames == frames


def test_width_and_height_are_a_size_too() -> None:
    request = order(width=96, height=64).request
    assert (request.width, request.height) == (96, 64)


def test_orders_survive_being_written_down() -> None:
    made = order(lossless=True, fps=24)
    assert Order.from_json(made.to_json()) == made


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"size": "1280x720"}, "size", "It draws 64x64, 96x64."),
        ({"size": "64"}, "size", "pattern"),
        ({"width": 64}, "size", "64x0"),
        ({"num_frames": 10}, "num_frames", "4 * k + 1 frames from 5 to 81"),
        ({"seconds": "12"}, "seconds", "0.3125 to 5.0625 seconds at 16 frames a second"),
        ({"seconds": "long"}, "seconds", "number"),
        ({"model": "sora-2"}, "model", "'sample' is"),
        ({"tier": "best"}, "tier", "draft, standard"),
        ({"num_inference_steps": 101}, "num_inference_steps", "At most 100"),
        ({"guidance_scale": "nan"}, "guidance_scale", "finite"),
        ({"seed": -1}, "seed", "greater than or equal to 0"),
        ({"fps": 0}, "fps", "greater"),
        ({"prompt": ""}, "prompt", "at least 1"),
        ({"prompt": " \t"}, "prompt", "There is nothing in it"),
        ({"prompt": "a\0b"}, "prompt", "U+0000 is not text"),
        ({"negative_prompt": "\x1b[31m"}, "negative_prompt", "U+001B is not text"),
        ({"generate_sound": True}, "generate_sound", "Known are: prompt, model"),
        ({"input_reference": "cat.png"}, "input_reference", "from text only"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_can(
    fields: dict[str, Any], param: str, words: str
) -> None:
    with pytest.raises(Refusal) as caught:
        order(**fields)
    assert (caught.value.status, caught.value.param) == (400, param)
    assert words in str(caught.value)


def test_long_videos_are_ordered_in_segments() -> None:
    long = hub_release(segments={"frames": 81, "overlap": 9, "max": 161})
    made = order_of(Wish.of({"prompt": "a ball", "seconds": "10"}), long)
    assert (made.request.frames, made.request.segments) == (161, long.segmentation)
    assert Order.from_json(made.to_json()) == made
    with pytest.raises(Refusal, match="from 5 to 161"):
        order_of(Wish.of({"prompt": "a ball", "num_frames": 165}), long)
