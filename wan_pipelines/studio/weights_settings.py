"""How a deployment keeps weights: the part of its settings."""

from pydantic import Field

from wan_pipelines.from_environment import Secret
from wan_pipelines.records import Record
from wan_pipelines.units import GB


class WeightsSettings(Record):
    """Where weights are mirrored, and how nodes fetch them into the `cache`."""

    store: Secret | None = Field(
        default=None,
        description="Store that `wan weights mirror` fills and nodes fetch from: a folder or an "
        "URL; empty: that of the videos.",
        examples=["s3://models/wan"],
    )
    keep_gb: float | None = Field(
        default=None,
        gt=0,
        description="Most that fetched weights may take of a node's disk, in 10^9 bytes: the least "
        "recently used go first, those in use never. Empty: until the disk is full.",
        examples=[300],
    )
    parallel: int = Field(
        default=8, ge=1, le=64, description="Files that a node fetches at the same time."
    )

    @property
    def keep_bytes(self) -> int | None:
        return None if self.keep_gb is None else int(self.keep_gb * GB)
