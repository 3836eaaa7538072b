"""What can become of a shot in an edition, and how the pages say it."""

from dataclasses import dataclass
from typing import Literal

State = Literal[
    "rendered",
    "reused",
    "failed",
    "held",
    "rejected",
    "refused",
    "waiting",
    "duplicate",
    "withdrawn",
]


@dataclass(frozen=True, slots=True)
class Wording:
    """How a state is named, what it means, and what a person can do about it."""

    label: str
    meaning: str
    remedy: str = ""


WORDINGS: dict[State, Wording] = {
    "rendered": Wording("Rendered", "Rendered and paid for in this edition."),
    "reused": Wording("Reused", "An identical shot was rendered before; nothing was paid."),
    "failed": Wording(
        "Failed",
        "Every attempt ended in an error.",
        "Run the edition again: only what is missing is rendered.",
    ),
    "refused": Wording(
        "Over limit",
        "Not admitted: a quota or a budget is used up.",
        "Run the edition again once it is renewed or raised.",
    ),
    "rejected": Wording(
        "Rejected",
        "The prompt is not accepted, or the shot does not fit the GPU class.",
        "Change the shot in the brief as the reason says.",
    ),
    "held": Wording(
        "Held",
        "Waits for a person to review the prompt.",
        "Let somebody release it (`wan prompts`), or rewrite the prompt in the brief.",
    ),
    "waiting": Wording("Waiting", "Admitted, not rendered yet."),
    "duplicate": Wording("Duplicate", "The same frames as another shot of this edition."),
    "withdrawn": Wording("Withdrawn", "No longer part of the brief."),
}

TROUBLES: tuple[State, ...] = ("failed", "refused", "rejected", "held")
"""States somebody must do something about, the most urgent first."""
