"""The client that OpenAI ships works against the server as it is."""

from io import BytesIO

import av
import openai
import pytest

from tests.serving.gate import Served
from wan_pipelines.serving.wishes import PROMPT_CHARACTERS


@pytest.fixture
def client(server: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="not-needed", max_retries=0)


def test_a_video_is_created_polled_and_downloaded(client: openai.OpenAI) -> None:
    video = client.videos.create_and_poll(
        prompt="a red ball rising",
        size="96x64",  # pyright: ignore[reportArgumentType]
        seconds="1",  # pyright: ignore[reportArgumentType]
        poll_interval_ms=20,
    )
    assert (video.status, video.progress, video.size) == ("completed", 100, "96x64")
    assert video.completed_at
    assert video.expires_at
    content = client.videos.download_content(video.id).read()
    with av.open(BytesIO(content), format="mp4") as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height, stream.frames) == (96, 64, 17)
    picture = client.videos.download_content(video.id, variant="thumbnail").read()
    assert picture[8:12] == b"WEBP"


def test_fields_of_other_servers_go_into_the_extra_body(
    client: openai.OpenAI, server: Served
) -> None:
    extra = {"seed": 5, "num_frames": 13, "num_inference_steps": 3, "guidance_scale": 1.5}
    video = client.videos.create(prompt="a blue box", extra_body=extra)
    told = server.get(video.id)
    assert (told["seed"], told["num_frames"], told["num_inference_steps"]) == (5, 13, 3)


def test_listing_goes_through_all_pages_and_deleting_takes_away(client: openai.OpenAI) -> None:
    made = [client.videos.create(prompt=f"ball {number}").id for number in range(5)]
    assert [video.id for video in client.videos.list(limit=2, order="asc")] == made
    assert [video.id for video in client.videos.list(limit=2)] == made[::-1]
    gone = client.videos.delete(made[2])
    assert (gone.id, gone.object, gone.deleted) == (made[2], "video.deleted", True)
    assert made[2] not in [video.id for video in client.videos.list()]
    with pytest.raises(openai.NotFoundError):
        client.videos.retrieve(made[2])


def test_a_refusal_is_an_error_that_says_what_is_wrong(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.videos.create(prompt="x" * (PROMPT_CHARACTERS + 1))
    assert caught.value.param == "prompt"
    assert "4096" in caught.value.message


def test_the_model_and_what_it_draws_are_listed(client: openai.OpenAI) -> None:
    (model,) = client.models.list()
    assert model.id == "sample"
    assert model.to_dict()["sizes"] == ["64x64", "96x64"]
