"""The names under which a campaign appears in Dagster."""

from dataclasses import dataclass

import dagster as dg


@dataclass(frozen=True, slots=True)
class CampaignKeys:
    """Asset keys and job name of the campaign `name`."""

    name: str

    @property
    def shots(self) -> dg.AssetKey:
        return dg.AssetKey([self.name, "shots"])

    @property
    def takes(self) -> dg.AssetKey:
        return dg.AssetKey([self.name, "takes"])

    @property
    def videos(self) -> dg.AssetKey:
        return dg.AssetKey([self.name, "videos"])

    @property
    def costs(self) -> dg.AssetKey:
        return dg.AssetKey([self.name, "costs"])

    @property
    def all(self) -> tuple[dg.AssetKey, ...]:
        return (self.shots, self.takes, self.videos, self.costs)

    @property
    def identifier(self) -> str:
        """The name with only letters, digits and underscores, as Dagster wants it of a job."""
        return self.name.replace("-", "_")

    @property
    def job(self) -> str:
        return f"campaign_{self.identifier}"

    @property
    def shots_op(self) -> str:
        return self.shots.to_python_identifier()
