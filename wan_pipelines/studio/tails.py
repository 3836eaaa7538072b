"""What happens to a take's footage: encoded, checked, published, described."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.encoding.encode import encode
from wan_pipelines.encoding.fidelity import FidelityScore, scorer_named
from wan_pipelines.encoding.publish import publish
from wan_pipelines.encoding.renditions import RenditionFile, RenditionSpec, rendition_specs
from wan_pipelines.engines.protocol import Footage
from wan_pipelines.errors import StorageError
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.rendering.takes import Take
from wan_pipelines.studio.drafts import draft_folder
from wan_pipelines.studio.leftovers import discard
from wan_pipelines.studio.manifests import Describer
from wan_pipelines.studio.store_check import check_store
from wan_pipelines.studio.studio import Studio

MASTER = "h264"
"""What is made of every take, so that other renditions can be derived when the frames are gone."""


class EncodingTail:
    """A `Tail` that leaves a take's renditions, pictures and manifest in the store."""

    def __init__(self, studio: Studio, edition: EditionKey, folder: Path) -> None:
        self._studio = studio
        self._tenant = edition.tenant
        self._describer = Describer(studio, edition)
        self._folder = folder

    @classmethod
    @contextmanager
    def opened(cls, studio: Studio, edition: EditionKey) -> Iterator[Self]:
        """A tail with a folder of its own for drafts, which goes away with it."""
        with draft_folder(studio.cache) as folder:
            yield cls(studio, edition, folder)

    def __call__(self, shot: Shot, take: Take, footage: Footage) -> tuple[RenditionFile, ...]:
        specs = specs_of(shot.renditions)
        score = self._score(shot, footage)
        drafts = self._folder / take.id
        try:
            files = encode(footage.frames, shot.fps, specs, drafts)
            return self._publish(shot, take, files, score)
        finally:
            shutil.rmtree(drafts, ignore_errors=True)

    def _publish(
        self, shot: Shot, take: Take, files: Mapping[str, Path], score: FidelityScore | None
    ) -> tuple[RenditionFile, ...]:
        """All files and the manifest, or, if that fails and the store allows, nothing."""
        store = self._studio.store
        try:
            check_store(self._studio)  # a volume may go away in the middle of a shard
            published = publish(store, self._tenant, shot.render_key, take.id, files)
            self._describer.describe(shot, take, published, score)
        except Exception:
            with suppress(StorageError):  # the first error says more
                discard(store, self._tenant, shot.render_key, take.id)
            raise
        return published

    def _score(self, shot: Shot, footage: Footage) -> FidelityScore | None:
        """Prompt fidelity, where the release says how it is measured."""
        scorer = self._studio.release(shot.request.release).scorer
        return scorer_named(scorer).score(footage.frames, shot.request.prompt) if scorer else None


def specs_of(names: Sequence[str]) -> tuple[RenditionSpec, ...]:
    """The renditions that are asked for, and one of full size if none of them is."""
    specs = rendition_specs(names)
    if any(spec.scale == 1 for spec in specs):
        return specs
    return (*specs, *rendition_specs([MASTER]))
