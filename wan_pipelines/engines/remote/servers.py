"""Where a server is, how long to be patient with it, and what its kind understands."""

from dataclasses import dataclass
from typing import Final, Literal

from wan_pipelines.engines.served import ServerKind
from wan_pipelines.units import GIB


@dataclass(frozen=True, slots=True, repr=False)
class RemoteServer:
    """One server of an environment; times in seconds.

    answer_seconds: until one request must be answered.
    outage_seconds: so long it is asked again while it does not answer, or answers nonsense.
    render_seconds: from a job's creation, queue included, to its end.
    """

    address: str
    key: str | None = None
    poll_seconds: float = 1.0
    answer_seconds: float = 30.0
    outage_seconds: float = 120.0
    render_seconds: float = 3600.0
    most_bytes: int = 4 * GIB


@dataclass(frozen=True, slots=True)
class Dialect:
    """In what the kinds differ.

    body: how the fields of a request are sent.
    idempotent: the same Idempotency-Key makes one job; otherwise its list is looked at instead.
    lossless: it hands out every pixel as it was rendered.
    """

    body: Literal["form", "json"]
    idempotent: bool
    lossless: bool


DIALECTS: Final[dict[ServerKind, Dialect]] = {
    "wan": Dialect("json", idempotent=True, lossless=True),
    "vllm-omni": Dialect("form", idempotent=False, lossless=False),
    "sglang": Dialect("json", idempotent=False, lossless=False),
}
