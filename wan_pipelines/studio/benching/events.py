"""What a process that measures an engine tells, one line of JSON each."""

import json
from dataclasses import asdict, dataclass

from wan_pipelines.studio.benching.measuring import Video


@dataclass(frozen=True, slots=True)
class Loaded:
    """The engine is ready."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Missing:
    """A scenario, or every one that is left, cannot be measured (any further)."""

    reason: str
    scenario: str = ""


Event = Loaded | Missing | Video
KINDS: dict[str, type[Loaded] | type[Missing] | type[Video]] = {
    kind.__name__: kind for kind in (Loaded, Missing, Video)
}


def to_line(event: Event) -> str:
    return json.dumps({"kind": type(event).__name__, **asdict(event)})


def from_line(line: str) -> Event:
    fields = json.loads(line)
    return KINDS[fields.pop("kind")](**fields)
