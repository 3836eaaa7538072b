"""What is told of weights on their way, for a bar on a terminal and for lines of JSON."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to the set of `weights`, named as in `Pin.label`."""

    kind: ClassVar[str]
    weights: str

    def to_json(self) -> dict[str, Any]:
        return {"event": self.kind, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Began(Event):
    """So much of them has to be moved."""

    kind = "began"
    files: int
    missing_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """Another process fetches them; so much of them is there."""

    kind = "waiting"
    done_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Moved(Event):
    """So much of them is there, whoever brought it."""

    kind = "progress"
    done_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Quarantined(Event):
    """A file was put aside because it is not what the manifest says."""

    kind = "quarantined"
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Evicted(Event):
    """They were removed from this node to make room."""

    kind = "evicted"
    freed_bytes: int


@dataclass(frozen=True, slots=True)
class Ready(Event):
    """They are here and whole."""

    kind = "ready"
    folder: str
    size_bytes: int
    fetched_bytes: int
    seconds: float
    had_from: Literal["cache", "store", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """A file that would be put into the store, or is there already."""

    kind = "planned"
    path: str
    size_bytes: int
    how: Literal["copied", "written anew", "fetched"]
    is_there: bool


@dataclass(frozen=True, slots=True)
class Published(Event):
    """They are in the store; `content` is what a release may pin."""

    kind = "published"
    revision: str
    content: str
    address: str
    files: int
    size_bytes: int
    uploaded_bytes: int


Tell = Callable[[Event], None]


def tell_nobody(_event: Event) -> None:
    """For whoever is not interested."""
