"""How a bucket is talked to. Where it is and who asks stands in the process environment."""

from typing import Literal

from pydantic import Field

from wan_pipelines.records import Record

LONGEST_LINK_SECONDS = 604_800
"""A week: signatures are not valid for longer."""


class S3Settings(Record):
    """Choices for stores with s3:// addresses.

    Endpoint, region and credentials are those of the environment, as for every AWS tool:
    AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the
    role of the machine or pod.
    """

    addressing: Literal["auto", "path", "virtual"] = Field(
        default="auto",
        description="Where the bucket's name stands: in the path or the host's name. `auto`: in "
        "the host's name where that is possible.",
    )
    link_seconds: int = Field(
        default=86_400,
        ge=1,
        le=LONGEST_LINK_SECONDS,
        description="For so long an address opens that was given to a browser.",
    )
    patience_seconds: float = Field(
        default=60,
        ge=0,
        description="For so long a request is repeated that failed for reasons that may pass.",
    )
    connect_seconds: float = Field(default=5, gt=0, description="Until a connection must be there.")
    answer_seconds: float = Field(
        default=20, gt=0, description="Without a byte for so long a connection has failed."
    )
    part_mib: int = Field(
        default=16,
        ge=5,
        le=1024,
        description="Larger objects are sent and fetched in parts of this size.",
    )
    parallel: int = Field(default=4, ge=1, le=64, description="Parts under way at the same time.")

    @property
    def part_bytes(self) -> int:
        """The size of a part."""
        return self.part_mib << 20
