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
        location = (*self.location, *location)
        path = self.folder / "defs.yaml"
        if self.rows_of:
            where = f"{self.folder / self.rows_of}, row {self.row}"
        elif path.is_file():
            location = ("attributes", *location)
            where = load_yaml(path).where(location)
        else:
            where = f"campaign {self.campaign}"
        what = f"`{field_name(location)}` {what}" if location else f"It {what}"
        return InputError(what, where=where, remedy=remedy)

    def of_prompt(self, index: int) -> "Whereabouts":
        """The prompt at `index` in the brief."""
        return Whereabouts(self.campaign, self.folder, ("prompts", index))

    def of_row(self, file: str, row: int) -> "Whereabouts":
        """The prompt in a row of a file beside the brief."""
        return Whereabouts(self.campaign, self.folder, (), file, row)


@dataclass(frozen=True, slots=True)
class PlacedPrompt:
    """A prompt, and where it was written."""

    prompt: Prompt
    place: Whereabouts
