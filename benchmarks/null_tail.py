"""Everything that happens to footage, except that it is encoded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.encoding.encode import encode
from wan_pipelines.encoding.publish import publish
from wan_pipelines.encoding.renditions import RenditionFile, rendition_specs
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Footage
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.rendering.takes import Take
from wan_pipelines.studio.manifests import Describer
from wan_pipelines.studio.studio import Studio

SAMPLE = "0" * 64


class NullTail:
    """A `Tail` that gives every take the same files, and a manifest of its own."""

    def __init__(self, studio: Studio, edition: EditionKey, files: tuple[RenditionFile, ...]):
        self._describer = Describer(studio, edition)
        self._files = files

    def __call__(self, shot: Shot, take: Take, _: Footage) -> tuple[RenditionFile, ...]:
        self._describer.describe(shot, take, self._files)
        return self._files


class NullTails:
    """Stands in for `EncodingTail`, whose `opened` it has."""

    def __init__(self, files: tuple[RenditionFile, ...]) -> None:
        self._files = files

    @contextmanager
    def opened(self, studio: Studio, edition: EditionKey) -> Iterator[NullTail]:
        yield NullTail(studio, edition, self._files)


def sample_files(studio: Studio, shot: Shot) -> tuple[RenditionFile, ...]:
    """The files of one shot of the null engine, encoded and published."""
    footage = NullEngine(studio.release(shot.request.release)).render(shot.request)
    specs = rendition_specs(shot.renditions)
    with TemporaryDirectory() as drafts:
        files = encode(footage.frames, shot.fps, specs, Path(drafts))
        return publish(studio.store, "demo", SAMPLE, "sample", files)
