"""One worker at one shard: its engine on one core, encoding and publishing on the others.

`python -m benchmarks.warm_worker ROOT`, in a deployment at ROOT. Prints what its paid seconds went
into, as JSON.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from benchmarks.deployment import CAMPAIGN, EDITION, Deployment
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.encoding.renditions import RenditionFile
from wan_pipelines.engines.protocol import Footage
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.rendering.takes import RunReference, Take
from wan_pipelines.studio import planning, render_here, shards
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.tails import EncodingTail


@dataclass(frozen=True, slots=True)
class PinnedTail:
    """A tail whose thread, and the processes it starts, keep to some cores."""

    tail: EncodingTail
    cores: frozenset[int]

    def __call__(self, shot: Shot, take: Take, footage: Footage) -> tuple[RenditionFile, ...]:
        os.sched_setaffinity(0, self.cores)
        return self.tail(shot, take, footage)


@dataclass(frozen=True, slots=True)
class PinnedTails:
    """Stands in for `EncodingTail`, whose `opened` it has."""

    cores: frozenset[int]

    @contextmanager
    def opened(self, studio: Studio, edition: EditionKey) -> Iterator[PinnedTail]:
        with EncodingTail.opened(studio, edition) as tail:
            yield PinnedTail(tail, self.cores)


def main(root: Path) -> None:
    first, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {first})
    studio = Deployment(root).studio()
    plan = planning.admit(studio, CAMPAIGN, EDITION)
    (shard,) = shards.cut(studio, plan.edition)
    with patch.object(render_here, "EncodingTail", PinnedTails(frozenset(others or [first]))):
        rendered = render_here.render_here(
            studio, shard, RunReference("benchmark", shard.name), say=_tell_nobody
        )
    print(json.dumps(rendered.summary.to_json()))


def _tell_nobody(words: str) -> None:
    """Progress is not what is measured."""
    del words


if __name__ == "__main__":
    main(Path(sys.argv[1]))
