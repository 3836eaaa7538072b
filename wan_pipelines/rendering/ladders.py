"""What a worker asks about rungs: on which to draw a shot, and what to do when that gave out."""

from dataclasses import dataclass
from typing import Protocol

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.ladder.footings import Footing
from wan_pipelines.errors import ExhaustionKind


@dataclass(frozen=True, slots=True)
class NextTry:
    """Whether the shot is tried again, by a fresh process, on a lower rung; and why (not)."""

    goes_on: bool
    reason: str


class Ladders(Protocol):
    """All methods may raise LedgerError."""

    def footing(self, shot: Shot) -> Footing:
        """What the shot is drawn as now."""
        ...

    def held(self, shot: Shot, footing: Footing) -> None:
        """It was drawn so."""
        ...

    def gave_out(self, shot: Shot, footing: Footing, kind: ExhaustionKind) -> NextTry:
        """It could not be drawn so."""
        ...


class NoLadders:
    """Every shot is drawn as it was asked for, or fails."""

    def footing(self, shot: Shot) -> Footing:
        return Footing(shot.request)

    def held(self, shot: Shot, footing: Footing) -> None:
        """Nothing is learnt."""

    def gave_out(self, shot: Shot, footing: Footing, kind: ExhaustionKind) -> NextTry:  # noqa: ARG002
        return NextTry(goes_on=False, reason="")
