"""What went wrong in an edition, told once per cause instead of once per shot."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from wan_pipelines.pages.states import TROUBLES, WORDINGS, State
from wan_pipelines.pages.view import ShotView


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One cause, what to do about it, and the shots it stopped."""

    state: State
    stage: str
    reason: str
    remedy: str
    may_run_at: datetime | None
    shots: tuple[ShotView, ...]


def group_troubles(shots: Iterable[ShotView]) -> tuple[Trouble, ...]:
    """Shots that need somebody, grouped by cause: urgent states first, then the widest cause."""
    causes: dict[tuple[State, str, str, str, datetime | None], list[ShotView]] = {}
    for shot in shots:
        if shot.state in TROUBLES:
            causes.setdefault(_cause(shot), []).append(shot)
    troubles = (
        Trouble(
            state=state,
            stage=stage,
            reason=reason,
            remedy=remedy,
            may_run_at=may_run_at,
            shots=tuple(stopped),
        )
        for (state, stage, reason, remedy, may_run_at), stopped in causes.items()
    )
    return tuple(sorted(troubles, key=lambda each: (TROUBLES.index(each.state), -len(each.shots))))


def _cause(shot: ShotView) -> tuple[State, str, str, str, datetime | None]:
    words = WORDINGS[shot.state]
    reason = shot.error_text or shot.reason or words.meaning
    return shot.state, shot.error_stage, reason, shot.hint or words.remedy, shot.may_run_at
