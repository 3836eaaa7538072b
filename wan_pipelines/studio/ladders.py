"""The ladders of a deployment: what shots are drawn as here, for whom, and what was learnt."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import monotonic

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.ladder.footings import (
    Footing,
    footings,
    next_lower,
    one_higher,
    position,
)
from wan_pipelines.engines.requests import Sampling
from wan_pipelines.errors import ExhaustionKind
from wan_pipelines.ledger.descents import degradation_of
from wan_pipelines.ledger.footholds import (
    Bucket,
    Foothold,
    claim_probe,
    foothold,
    set_foothold,
)
from wan_pipelines.rendering.ladders import NextTry
from wan_pipelines.studio.studio import Studio

MOST_DOUBLINGS = 5
"""A rung that fails again and again is tried after at most 32 times the pause."""
FRESH_SECONDS = 10.0
"""How long what the ledger says of a bucket is taken as so: another worker's news may wait."""
GAVE_OUT = {"memory": "Memory", "device": "The GPU", "time": "Time"}


class LedgerLadders:
    """`Ladders` for the shots of one tenant on the environment's GPUs; the ledger remembers.

    A shot begins on the rung that worked for its bucket last. After a pause one worker tries the
    rung above, and the bucket moves up if that holds.
    """

    def __init__(self, studio: Studio, tenant: str, *, exact: bool = False) -> None:
        self._studio = studio
        self._ledger = studio.ledger
        self._tenant = tenant
        self._asked_exactly = exact
        self._exact = exact or degradation_of(studio.ledger, tenant) == "exact_only"
        self._probing: set[str] = set()
        self._seen: dict[Bucket, tuple[float, Foothold | None]] = {}

    def footing(self, shot: Shot) -> Footing:
        """See `Ladders.footing`."""
        found = self._recent_foothold(shot)
        if found is None:
            return Footing(shot.request)
        ladder = self._ladder(shot, exact=self._exact)
        at = position(ladder, found.rung)
        if at and self._is_due(found) and self._claimed(shot, found):
            self._probing.add(shot.render_key)
            return one_higher(ladder, found.rung)
        return ladder[at]

    def present(self, shot: Shot) -> Footing:
        """Where shots of its bucket begin, without trying anything higher."""
        found = self._recent_foothold(shot)
        if found is None:
            return Footing(shot.request)
        ladder = self._ladder(shot, exact=self._exact)
        return ladder[position(ladder, found.rung)]

    def held(self, shot: Shot, footing: Footing) -> None:
        """See `Ladders.held`. Where it began, it was known to hold; only a probe says more."""
        if shot.render_key not in self._probing:
            return
        ladder = self._ladder(shot, exact=self._exact)
        found = self._foothold(shot)
        if found and position(ladder, footing.name) < position(ladder, found.rung):
            self._set(shot, footing.name)

    def gave_out(self, shot: Shot, footing: Footing, kind: ExhaustionKind) -> NextTry:
        """See `Ladders.gave_out`."""
        ladder = self._ladder(shot, exact=self._exact)
        lower = next_lower(ladder, footing, kind)
        if lower is None:
            return NextTry(goes_on=False, reason=self._why_not(shot, footing, kind))
        found = self._foothold(shot)
        if found and position(ladder, found.rung) > position(ladder, footing.name):
            # It was a probe, or another worker fell meanwhile.
            self._set(shot, found.rung, misses=found.misses + 1)
            lower = ladder[position(ladder, found.rung)]
        else:
            self._set(shot, lower.name)
        reason = f"{GAVE_OUT[kind]} gave out, so it is tried on rung {lower.name}."
        return NextTry(goes_on=True, reason=reason)

    def _why_not(self, shot: Shot, footing: Footing, kind: ExhaustionKind) -> str:
        everything = self._ladder(shot, exact=False)
        if self._exact and next_lower(everything, everything[0], kind):
            if self._asked_exactly:
                return "An exact render was asked for, so it was not drawn with less."
            return (
                f"Tenant {self._tenant} takes exact renders only, so it was not drawn with less. "
                "Set the tenant's `degradation: allowed`, or render it on a larger GPU."
            )
        below = f" below {footing.name}" if footing.name else ""
        saving = " that is less work" if kind == "time" else ""
        return (
            f"Release {shot.request.release} declares no rung{below}{saving} for it. Extend its "
            "`ladder`, choose another shape or tier, or render it on a larger GPU."
        )

    def _ladder(self, shot: Shot, *, exact: bool) -> Sequence[Footing]:
        on_gpu = self._studio.settings.rendering_class.device == "cuda"
        return footings(shot.request, self._studio.releases, on_gpu=on_gpu, exact=exact)

    def _is_due(self, found: Foothold) -> bool:
        pause = timedelta(minutes=self._studio.settings.ladders.probe_minutes)
        return datetime.now(UTC) >= found.since + pause * 2 ** min(found.misses, MOST_DOUBLINGS)

    def _claimed(self, shot: Shot, found: Foothold) -> bool:
        bucket = self._bucket(shot)
        self._seen.pop(bucket, None)
        return claim_probe(self._ledger, bucket, found, now=datetime.now(UTC))

    def _foothold(self, shot: Shot) -> Foothold | None:
        """None also where there is nothing to fall to, whatever was learnt of another ladder."""
        if not self._studio.release(shot.request.release).ladder:
            return None
        return foothold(self._ledger, self._bucket(shot))

    def _recent_foothold(self, shot: Shot) -> Foothold | None:
        """As it was a moment ago, for what is asked for each shot."""
        bucket = self._bucket(shot)
        seen_at, seen = self._seen.get(bucket, (-FRESH_SECONDS, None))
        if monotonic() >= seen_at + FRESH_SECONDS:
            seen = self._foothold(shot)
            self._seen[bucket] = (monotonic(), seen)
        return seen

    def _set(self, shot: Shot, rung: str, *, misses: int = 0) -> None:
        bucket = self._bucket(shot)
        set_foothold(self._ledger, bucket, rung, misses=misses, now=datetime.now(UTC))
        self._seen.pop(bucket, None)

    def _bucket(self, shot: Shot) -> Bucket:
        request, settings = shot.request, self._studio.settings
        return Bucket(
            release=request.release,
            release_identity=request.release_identity,
            width=request.width,
            height=request.height,
            frames=request.frames,
            sampling=_text_of(request.sampling),
            gpu_class=settings.gpu_class,
            gpu_count=settings.rendering_class.gpu_count,
            exact=self._exact,
        )


@lru_cache(maxsize=64)
def _text_of(sampling: Sampling) -> str:
    """Of a tier's numbers; all shots of a tier have the same."""
    return json.dumps(asdict(sampling), sort_keys=True)
