"""Where in a campaign's files something stands, looked up only when it has to be said."""

from dataclasses import dataclass
from pathlib import Path

from wan_pipelines.campaigns.prompts import Prompt
from wan_pipelines.errors import InputError
from wan_pipelines.validation import Location, field_name
from wan_pipelines.yaml_source import load_yaml


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A brief, or one of its prompts: `row` of the prompts file, or `location` in the brief."""

    campaign: str
    folder: Path
    location: Location = ()
    rows_of: str | None = None
    row: int = 0

    def error(self, location: Location, what: str, remedy: str) -> InputError:
        """`what` is said of a field: "is 17."."""
        return InputError(
            f"`{self._field(location)}` {what}", where=self._where(location), remedy=remedy
        )

    def of_prompt(self, index: int) -> "Whereabouts":
        """The prompt at `index` in the brief."""
        return Whereabouts(self.campaign, self.folder, ("prompts", index))

    def of_row(self, file: str, row: int) -> "Whereabouts":
        """The prompt in a row of a file beside the brief."""
        return Whereabouts(self.campaign, self.folder, (), file, row)

    def _field(self, location: Location) -> str:
        prefix: Location = () if self.rows_of else ("attributes", *self.location)
        return field_name((*prefix, *location))

    def _where(self, location: Location) -> str:
        if self.rows_of:
            return f"{self.folder / self.rows_of}, row {self.row}"
        path = self.folder / "defs.yaml"
        if not path.is_file():
            return f"campaign {self.campaign}"
        return load_yaml(path).where(("attributes", *self.location, *location))


@dataclass(frozen=True, slots=True)
class PlacedPrompt:
    """A prompt, and where it was written."""

    prompt: Prompt
    place: Whereabouts
