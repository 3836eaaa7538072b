"""A deployment whose runs are made of worker processes that tests can get hold of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.project import Project
from tests.survival import rules
from tests.survival.hands import Answer, Errand, Hand, begin
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import ShotView, edition_shots_view
from wan_pipelines.studio import costs, planning, shards, videos
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.shards import ShardReference
from wan_pipelines.studio.studio import Studio

PROMPTS = ("a red ball rising", "a blue box falling", "a green cone turning")


@dataclass(frozen=True)
class Scene:
    """What a run of the graph does, step by step, without Dagster."""

    project: Project
    folder: Path
    hands: list[Hand] = field(default_factory=list)

    @property
    def studio(self) -> Studio:
        """Opened anew, as every step does."""
        return self.project.studio()

    def edition(self, campaign: str = "balls", edition: str = "one") -> EditionKey:
        return edition_key(self.studio, campaign, edition)

    def admitted(self, campaign: str = "balls", edition: str = "one") -> tuple[ShardReference, ...]:
        """The edition's shots decided about, and those that are missing cut into shards."""
        studio = self.studio
        planning.admit(studio, campaign, edition)
        return shards.cut(studio, edition_key(studio, campaign, edition))

    def shard(self, campaign: str = "balls", edition: str = "one") -> ShardReference:
        """All that is missing of an edition, in one shard."""
        pieces = self.admitted(campaign, edition)
        names = tuple(name for piece in pieces for name in piece.shots)
        return ShardReference("shard_1", self.edition(campaign, edition), names)

    def begin(self, shard: ShardReference, run: str = "run", **errand: Any) -> Hand:
        """A worker process at a shard."""
        hand = begin(
            Errand(
                root=self.project.root,
                state=self.project.state,
                shard=shard.to_json(),
                run=run,
                folder=self.folder / f"hand-{len(self.hands)}",
                **errand,
            )
        )
        self.hands.append(hand)
        return hand

    def clean_up(self) -> None:
        """No process outlives its test."""
        for hand in self.hands:
            hand.kill()

    def publish(self, *editions: EditionKey) -> None:
        """The end of a run."""
        for edition in editions or (self.edition(),):
            videos.publish(self.studio, edition)
            costs.settle(self.studio, edition)

    def run(self, campaign: str = "balls", edition: str = "one", run: str = "next") -> list[Answer]:
        """An undisturbed run of an edition from beginning to end."""
        hands = [self.begin(shard, run) for shard in self.admitted(campaign, edition)]
        answers = [hand.answer() for hand in hands]
        assert not [answer.message for answer in answers if answer.error]
        self.publish(self.edition(campaign, edition))
        return answers

    def views(self) -> tuple[ShotView, ...]:
        """The edition's shots as the ledger knows them."""
        return edition_shots_view(self.studio.ledger, self.edition())

    def errors(self) -> set[str]:
        """What the ledger keeps of errors of the edition's shots."""
        return {shot.error_message for shot in self.views() if shot.error_message}

    def check(self, *editions: EditionKey) -> None:
        """All rules, for these editions or the usual one."""
        rules.check(self.studio, *(editions or (self.edition(),)))


def accepted(answers: Sequence[Answer]) -> int:
    """How many takes the workers rendered and had accepted."""
    return sum(answer.summary["accepted"] for answer in answers)
