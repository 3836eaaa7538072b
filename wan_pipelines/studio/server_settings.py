"""Servers elsewhere, and the addresses at which they are."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from wan_pipelines.from_environment import FromEnvironment
from wan_pipelines.records import Record


def _web_address(address: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", address):
        raise ValueError("write an address such as http://127.0.0.1:3000")
    return address.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""A scheme, a host and perhaps a path, without a slash at its end."""


class EngineServer(Record):
    """A server with the video API of OpenAI's clients, that releases with a `server` render on."""

    address: WebAddress = Field(
        description="Where it is, without /v1.", examples=["http://127.0.0.1:8000"]
    )
    key: FromEnvironment | None = Field(default=None, description="Its API key; empty: none.")
    poll_seconds: float = Field(
        default=1, gt=0, description="Pause between two questions how far a video is."
    )
    answer_seconds: float = Field(
        default=30, gt=0, description="Until a single request must be answered."
    )
    outage_seconds: float = Field(
        default=120, gt=0, description="So long it is asked again while it does not answer."
    )
    render_seconds: float = Field(
        default=3600, gt=0, description="So long a video may take, its waiting there included."
    )
