"""What of a campaign's latest edition is not as its brief wants it, and why."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from wan_pipelines.campaigns.editions import brief_digest
from wan_pipelines.campaigns.screening import PASS, load_rules, screen_shots
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.encoding.renditions import missing_at
from wan_pipelines.ledger.budget_refusals import admissible_again
from wan_pipelines.ledger.editions import all_editions
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import ShotView, edition_shots_view, run_costs
from wan_pipelines.studio.declared_budgets import budgets_of
from wan_pipelines.studio.outputs import broken_outputs
from wan_pipelines.studio.page import pages_of
from wan_pipelines.studio.planning import preview
from wan_pipelines.studio.reviews import reviewer
from wan_pipelines.studio.studio import Studio


@dataclass(frozen=True, slots=True)
class Concern:
    """Shots that want rendering, with the reason of each; how many failed ones rest, and how many
    are `refused` until a limit or budget lets them pass.

    `wish` is a digest of what is asked for, `digest` of that and of what has become of it so far.
    """

    edition: str
    reasons: dict[str, str]
    resting: int
    wish: str
    digest: str
    refused: int = 0

    @property
    def shots(self) -> tuple[str, ...]:
        return tuple(self.reasons)

    @property
    def summary(self) -> str:
        """The concern in a sentence."""
        if not self.reasons:
            rest = f"; {self.resting} failed shots rest" if self.resting else ""
            over = f"; refused: {self.refused}" if self.refused else ""
            return f"edition {self.edition} is as the brief wants it{rest}{over}"
        counts = Counter(self.reasons.values())
        return ", ".join(f"{number} {reason}" for reason, number in counts.items())


def compare(studio: Studio, edition: EditionKey, now: datetime) -> Concern:
    """What of an edition is not as its brief and release want it now."""
    rows = {shot.shot: shot for shot in edition_shots_view(studio.ledger, edition)}
    broken = {output.render_key for output in broken_outputs(studio, edition)}
    reasons: dict[str, str] = {}
    standings: list[tuple[object, ...]] = []
    resting = 0
    shots = studio.shots(edition.campaign)
    cleared = _cleared(studio, edition.tenant, shots, rows)
    budgets = budgets_of(studio.brief(edition.campaign))
    within = admissible_again(studio.ledger, edition, budgets, now=now)
    for shot in shots:
        row = rows.get(shot.name)
        reason = _reason(shot, row, broken, within) or ("released" if shot.name in cleared else "")
        if reason == "unfinished" and row and _rests(studio, row, now):
            resting += 1
            continue
        if reason:
            reasons[shot.name] = reason
            standings.append((shot.name, reason, *_standing(row)))
    wish = wish_of(studio, edition)
    refused = sum(row.state == "refused" for name, row in rows.items() if name not in reasons)
    return Concern(edition.edition, reasons, resting, wish, _digest(wish, *standings), refused)


def wish_of(studio: Studio, edition: EditionKey) -> str:
    """A digest of what is asked for: changes when brief, prompts, release or weights do."""
    brief = studio.brief(edition.campaign)
    release = studio.release(brief.release)
    asked = brief_digest(brief, studio.folder_of(edition.campaign))
    return _digest(edition.edition, asked, release.identity, release.model_dump(mode="json"))


def is_complete(studio: Studio, edition: EditionKey, now: datetime) -> bool:
    """Whether a launch of the edition would change nothing at all, its page included."""
    if edition not in all_editions(studio.ledger, edition.tenant):
        return False
    shots = edition_shots_view(studio.ledger, edition)
    runs = run_costs(studio.ledger, edition.tenant, edition=edition)
    wanted = {shot.name for shot in studio.shots(edition.campaign)}
    return (
        {shot.shot for shot in shots if shot.state != "withdrawn"} == wanted
        and not any(shot.state == "admitted" and shot.outcome != "accepted" for shot in shots)
        and not compare(studio, edition, now).shots
        and not any(run.open_workers for run in runs)
        and studio.store.stat(pages_of(edition).page) is not None
        and not _may_run_now(studio, edition, shots)
    )


def _may_run_now(studio: Studio, edition: EditionKey, shots: Sequence[ShotView]) -> bool:
    """Whether plans, limits or budgets let more pass than when the edition was admitted."""
    if not any(shot.state in ("refused", "rejected") for shot in shots):
        return False
    plan = preview(studio, edition.campaign, edition.edition)
    return any(planned.renders for planned in plan.shots)


def _cleared(
    studio: Studio, tenant: str, shots: Sequence[Shot], rows: Mapping[str, ShotView]
) -> set[str]:
    """Names of shots that were stopped, and whose prompt a person has released since."""
    names = {name for name, row in rows.items() if row.state in ("held", "rejected")}
    stopped = [shot for shot in shots if shot.name in names]
    if not stopped:  # as nearly always, and the sensor looks often
        return set()
    rules = load_rules()
    by_rules = screen_shots(stopped, rules)
    by_people = screen_shots(stopped, rules, reviewer(studio, tenant))
    return {
        shot.name
        for shot, before, after in zip(stopped, by_rules, by_people, strict=True)
        if before.outcome == "held" and after == PASS
    }


def _reason(  # noqa: PLR0911 (one line a reason)
    shot: Shot, row: ShotView | None, broken: set[str], within: Collection[str]
) -> str:
    """Why a shot of the brief wants rendering; empty if it does not."""
    if row is None or row.state == "withdrawn":
        return "new"
    if row.render_key != shot.render_key:
        return "changed"
    if row.state in ("held", "rejected"):
        return ""
    if row.state == "refused":
        return "within quota again" if shot.name in within else ""
    if shot.render_key in broken:
        return "lost or damaged"
    if row.state == "admitted" and row.outcome != "accepted":
        return "unfinished"
    if row.state == "duplicate" and row.outcome != "accepted":
        return ""
    if shot.fps != row.fps or missing_at(shot.fps, shot.renditions, row.files):
        return "lacking a rendition"
    return ""


def _rests(studio: Studio, row: ShotView, now: datetime) -> bool:
    """Whether a shot that failed is left alone for now, or until it changes."""
    backoff = studio.settings.rerender.backoff
    when = backoff.next_attempt(row.failures, row.last_failed_at)
    return when is None or when > now


def _standing(row: ShotView | None) -> tuple[object, ...]:
    """What changes whenever something was tried: the same concern twice is told apart by it."""
    return (row.take_id, row.attempts, row.state, str(row.may_run_at)) if row else ()


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
