"""What admission decides about each shot, as a pure function of what the ledger holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from wan_pipelines.ledger.amounts import ONE_SHOT, Amount

State = Literal["admitted", "reused", "held", "rejected", "refused", "duplicate", "withdrawn"]
Screened = Literal["pass", "rejected", "held"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A shot that a campaign asks for, with what screening said about it.

    `request` is the render request as plain JSON data, `reason` why screening did not pass it.
    `unfit` says why it cannot be rendered here, which does not matter where it was rendered before.
    `amount` is what it is expected to take.
    """

    name: str
    render_key: str
    request: Mapping[str, Any]
    tier: str
    fps: int
    renditions: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    verdict: Screened = "pass"
    reason: str = ""
    unfit: str = ""
    amount: Amount = ONE_SHOT


@dataclass(frozen=True, slots=True)
class Admission:
    """What was decided about a shot, why, and when a refused shot may run.

    `rendered` says that an accepted take of the shot exists, so that nothing is rendered now;
    `reserved` that the shot was admitted before, and that limits count it already.
    """

    name: str
    render_key: str
    state: State
    reason: str = ""
    may_run_at: datetime | None = None
    rendered: bool = False
    reserved: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class KnownShot:
    """What the ledger knows of a candidate's shot: its row, and where it was rendered before."""

    shot_id: int
    accepted_here: bool = False
    accepted_elsewhere: str = ""  # "campaign/edition" of the accepted take


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the edition as the last admission left it."""

    name: str
    shot_id: int
    state: State
    reservation: str | None


@dataclass(frozen=True, slots=True)
class Wish:
    """A first decision, made without looking at quota.

    `keeps` is the open reservation the shot already holds, `drops` the one it gives back;
    `wants` says that a reservation is needed to admit it.
    """

    candidate: Candidate
    state: State
    reason: str = ""
    keeps: str | None = None
    drops: str | None = None
    wants: bool = False
    rendered: bool = False


def wishes(
    candidates: Iterable[Candidate],
    known: Mapping[str, KnownShot],
    entries: Mapping[str, Entry],
) -> tuple[Wish, ...]:
    """Decide everything but quota, in the candidates' order.

    Args:
        candidates: the shots to decide about, names unique.
        known: by render key, for every candidate.
        entries: by name, all rows the edition has so far.
    """
    chosen = list(candidates)
    primaries = _primaries(chosen, known, entries)
    return tuple(
        _wish(candidate, known[candidate.render_key], entries.get(candidate.name), primaries)
        for candidate in chosen
    )


def _primaries(
    candidates: Sequence[Candidate],
    known: Mapping[str, KnownShot],
    entries: Mapping[str, Entry],
) -> dict[int, str]:
    """By shot, the name that is rendered when an edition asks for the same shot twice.

    A row that is already admitted or reused stays the one, so that nothing changes hands.
    """
    asked = {c.name: known[c.render_key].shot_id for c in candidates if c.verdict == "pass"}
    primaries: dict[int, str] = {}
    touched = {candidate.name for candidate in candidates}
    for entry in entries.values():
        still = asked.get(entry.name) == entry.shot_id or entry.name not in touched
        if still and entry.state in ("admitted", "reused"):
            primaries.setdefault(entry.shot_id, entry.name)
    for name, shot_id in asked.items():
        primaries.setdefault(shot_id, name)
    return primaries


def _wish(
    candidate: Candidate, shot: KnownShot, entry: Entry | None, primaries: Mapping[int, str]
) -> Wish:
    held = entry.reservation if entry else None
    same_shot = entry is not None and entry.shot_id == shot.shot_id
    if candidate.verdict != "pass":
        return Wish(candidate, candidate.verdict, candidate.reason, drops=held)
    primary = primaries[shot.shot_id]
    if primary != candidate.name:
        return Wish(candidate, "duplicate", f"the same frames as {primary}", drops=held)
    if shot.accepted_here:
        return Wish(candidate, "admitted", drops=held, rendered=True)
    if shot.accepted_elsewhere:
        reason = f"already rendered in {shot.accepted_elsewhere}"
        return Wish(candidate, "reused", reason, drops=held, rendered=True)
    if candidate.unfit:
        return Wish(candidate, "rejected", candidate.unfit, drops=held)
    kept = held if same_shot else None
    return Wish(candidate, "admitted", keeps=kept, drops=None if kept else held, wants=kept is None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a shot gets no reservation, and when it may have one, if ever."""

    reason: str
    may_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The final word on a shot, and the reservation it holds from now on."""

    candidate: Candidate
    admission: Admission
    reservation: str | None


def decisions(wished: Iterable[Wish], answers: Iterable[str | Refusal]) -> tuple[Decision, ...]:
    """The last word on each wish; `answers` are new reservations, or not, for those that want."""
    answered = iter(answers)
    return tuple(_decision(wish, next(answered) if wish.wants else wish.keeps) for wish in wished)


def _decision(wish: Wish, answer: str | Refusal | None) -> Decision:
    shot = wish.candidate
    if isinstance(answer, Refusal):
        refused = Admission(shot.name, shot.render_key, "refused", answer.reason, answer.may_run_at)
        return Decision(shot, refused, None)
    admission = Admission(
        shot.name,
        shot.render_key,
        wish.state,
        wish.reason,
        rendered=wish.rendered,
        reserved=wish.keeps is not None,
    )
    return Decision(shot, admission, answer)
