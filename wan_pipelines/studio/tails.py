"""What happens to a take's footage: encoded, checked, published, described."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.encoding.encode import encode
from wan_pipelines.encoding.publish import publish
from wan_pipelines.encoding.renditions import RenditionFile, rendition_specs
from wan_pipelines.engines.protocol import Footage
from wan_pipelines.ledger.editions import EditionKey
from wan_pipelines.rendering.takes import Take
from wan_pipelines.studio.manifests import Describer
from wan_pipelines.studio.studio import Studio


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
        drafts = studio.cache / "drafts"
        drafts.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=drafts) as folder:
            yield cls(studio, edition, Path(folder))

    def __call__(self, shot: Shot, take: Take, footage: Footage) -> tuple[RenditionFile, ...]:
        specs = rendition_specs(shot.renditions)
        with TemporaryDirectory(dir=self._folder) as drafts:
            files = encode(footage.frames, shot.fps, specs, Path(drafts))
            published = publish(self._studio.store, self._tenant, shot.render_key, take.id, files)
        self._describer.describe(shot, take, published)
        return published
