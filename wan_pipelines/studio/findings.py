"""What a look at the machine and the deployment finds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from wan_pipelines.errors import WanError


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. A `notice` does not keep the demo from running, a `problem` may."""

    check: str
    state: Literal["ok", "notice", "problem"]
    message: str
    remedy: str = ""


def told(check: str, look: Callable[[], str]) -> Finding:
    """What `look` says, or the error it ends in, whose message holds its remedy."""
    try:
        message = look()
    except WanError as error:
        return Finding(check, "problem", str(error))
    return Finding(check, "ok", message)
