"""What a supervisor and its worker tell each other: one JSON object a line."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from wan_pipelines.errors import InputError, WanError
from wan_pipelines.rendering.clock import Instant
from wan_pipelines.rendering.progress import Progress
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.render_here import EndKind
from wan_pipelines.studio.shard_records import ShardReference, ShardSummary


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What a worker process is to do: the shots of `shard`, in the deployment that is named.

    `gpu_class` says on what. It is paid from `paid_since` on.
    """

    root: Path
    state: Path
    environment: str
    gpu_class: str
    shard: ShardReference
    run: RunReference
    paid_since: Instant

    def to_json(self) -> dict[str, Any]:
        return {
            "root": str(self.root),
            "state": str(self.state),
            "environment": self.environment,
            "gpu_class": self.gpu_class,
            "shard": self.shard.to_json(),
            "run": asdict(self.run),
            "paid_since": self.paid_since.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            root=Path(data["root"]),
            state=Path(data["state"]),
            environment=data["environment"],
            gpu_class=data["gpu_class"],
            shard=ShardReference.from_json(data["shard"]),
            run=RunReference(**data["run"]),
            paid_since=Instant.from_json(data["paid_since"]),
        )


@dataclass(frozen=True, slots=True)
class Said:
    """Words for whoever follows the run."""

    words: str


@dataclass(frozen=True, slots=True)
class Told:
    """How far the worker is; None between two renders."""

    progress: Progress | None


@dataclass(frozen=True, slots=True)
class Ending:
    """The worker ends in order. A fresh one should do what is left, unless it is "done"."""

    kind: EndKind
    summary: ShardSummary


@dataclass(frozen=True, slots=True)
class Failure:
    """The worker ends because of an error of ours, which the shard fails with."""

    error: WanError


Message = Said | Told | Ending | Failure


def to_json(message: Message) -> dict[str, Any]:
    match message:
        case Said(words):
            return {"said": words}
        case Told(progress):
            return {"told": progress and asdict(progress)}
        case Ending(kind, summary):
            return {"ending": kind, "summary": summary.to_json()}
        case Failure(error):
            return {"failure": type(error).__name__, **_told_of(error)}


def from_json(data: Mapping[str, Any]) -> Message:
    match data:
        case {"said": words}:
            return Said(words)
        case {"told": progress}:
            return Told(progress and Progress(**progress))
        case {"ending": kind, "summary": summary}:
            return Ending(kind, ShardSummary.from_json(summary))
        case {"failure": name, "what": what, **fields}:
            return Failure(_error_classes()[name](what, **fields))
    raise ValueError(f"no message of a worker: {data}")


def _told_of(error: WanError) -> dict[str, str]:
    """The arguments that make the same error again; `what` is the first one."""
    fields = {name: value for name, value in vars(error).items() if not name.startswith("_")}
    return fields if isinstance(error, InputError) else {**fields, "what": str(error)}


def _error_classes() -> dict[str, Any]:
    """Our errors by name."""
    found, new = {WanError}, [WanError]
    while new:
        new = [child for parent in new for child in parent.__subclasses__()]
        found.update(new)
    return {kind.__name__: kind for kind in found}
