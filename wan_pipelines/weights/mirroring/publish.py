"""A set of weights published in a store: its files first, its manifest last and once."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from wan_pipelines.errors import FetchStopped, WeightsError
from wan_pipelines.units import GB
from wan_pipelines.weights.events import Began, Moved, Planned, Published, Tell
from wan_pipelines.weights.manifest import (
    MANIFEST_NAME,
    Conversion,
    Manifest,
    ManifestFile,
    file_sha256,
)
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.mirroring.drafts import drafts_folder
from wan_pipelines.weights.mirroring.origins import Origin
from wan_pipelines.weights.mirroring.outputs import Copy, Output, outputs_of
from wan_pipelines.weights.mirroring.sending import Sender
from wan_pipelines.weights.mirroring.uploads import Uploads
from wan_pipelines.weights.pins import Pin
from wan_pipelines.weights.threads import in_threads

PARALLEL = 2
"""Files on their way at a time: one is written while another is sent, in parts."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is mirrored as what; `dtype` is the type in which the release computes."""

    pin: Pin
    origin: Origin
    conversion: Conversion
    dtype: str
    licence: str


class Publication:
    """A wish on its way into a mirror; `drafts` is a folder for files that are written anew."""

    def __init__(
        self, mirror: WeightsMirror, wish: Wish, drafts: Path, tell: Tell, stop: Event
    ) -> None:
        self._mirror = mirror
        self._wish = wish
        self._drafts = drafts
        self._tell = tell
        self._stop = stop
        self._halt = Event()
        self._uploads = Uploads(mirror, wish.pin)
        self._sent: dict[str, int] = {}

    def plan(self) -> None:
        """Tell what `run` would do, and do nothing."""
        outputs, found = self._look()
        for output in outputs:
            how = "copied" if isinstance(output, Copy) else "written anew"
            size, is_there = output.size_bytes, output.path in found
            self._tell(Planned(self._wish.pin.label, output.path, size, how, is_there))

    def run(self) -> Manifest:
        """Put the set into the mirror; one that is there is completed if files of it are gone.

        What was uploaded before an interruption is not uploaded again. Raises WeightsError,
        StorageError, or FetchStopped.
        """
        outputs, found = self._look()
        missing = [output for output in outputs if output.path not in found]
        size = sum(output.size_bytes for output in outputs)
        lacking = sum(output.size_bytes for output in missing)
        self._tell(Began(self._wish.pin.label, len(missing), lacking, size))
        self._sent = {output.path: output.size_bytes for output in outputs if output.path in found}
        try:
            sent = self._send(missing, size)
        except OSError as error:
            raise WeightsError(
                f"{self._wish.pin.label} cannot be mirrored: {error.strerror}, while files "
                f"were read, or drafted in {self._drafts}. What was uploaded is not uploaded again."
            ) from error
        manifest = self._manifest((*found.values(), *sent))
        self._create(manifest)
        self._uploads.clear()
        self._tell(self._published(manifest, uploaded_bytes=lacking))
        return manifest

    def _look(self) -> tuple[tuple[Output, ...], dict[str, ManifestFile]]:
        """What the set consists of, and what is in the store of it."""
        pin, store = self._wish.pin, self._mirror.store
        outputs = outputs_of(self._wish.origin, self._wish.conversion)
        published = self._mirror.find(pin)
        if published is None:
            found = {output.path: self._uploads.find(output) for output in outputs}
            return outputs, {path: file for path, file in found.items() if file}
        self._check_alike(published)
        prefix = self._mirror.key(pin, "")
        sizes = {info.key.removeprefix(prefix): info.size_bytes for info in store.list(prefix)}
        there = {file.path: file for file in published.files if sizes.get(file.path) == file.size}
        return outputs, there

    def _check_alike(self, published: Manifest) -> None:
        if published.conversion != self._wish.conversion:
            raise WeightsError(
                f"{self._mirror.address(self._wish.pin)} was mirrored in another way: "
                f"{_words(published.conversion)}, not {_words(self._wish.conversion)}. Keep to "
                "that, or remove it from the store together with its files."
            )

    def _send(self, missing: list[Output], size: int) -> list[ManifestFile]:
        self._drafts.mkdir(parents=True, exist_ok=True)
        self._check_disk(missing)
        self._in_threads(self._check_file, self._known(missing), size)
        with drafts_folder(self._drafts) as folder:
            sender = Sender(self._mirror, self._wish.pin, self._uploads, folder)

            def send(output: Output) -> ManifestFile:
                return sender.send(output, lambda sent: self._passed(output.path, sent))

            return self._in_threads(send, missing, size)

    def _check_disk(self, missing: list[Output]) -> None:
        drafted = sorted(output.size_bytes for output in missing if not isinstance(output, Copy))
        need, free = sum(drafted[-PARALLEL:]), shutil.disk_usage(self._drafts).free
        if free < need:
            raise WeightsError(
                f"Files of {need / GB:.2f} GB are drafted in {self._drafts}, which has "
                f"{free / GB:.2f} GB free. Free space, or choose smaller shards."
            )

    def _known(self, missing: list[Output]) -> list[str]:
        """Files that something missing is made of, and whose digests are known."""
        origin = self._wish.origin
        sources = {source for output in missing for source in output.sources}
        return [path for path in origin.digests if origin.files.get(path) in sources]

    def _check_file(self, path: str) -> None:
        """Before anything is made of it."""
        origin = self._wish.origin
        found = file_sha256(origin.files[path], lambda _count: self._go_on())
        if found != origin.digests[path]:
            raise WeightsError(
                f"{origin.words}: {path} is damaged: its sha256 is {found} instead of "
                f"{origin.digests[path]}. Fetch it again from where it came."
            )

    def _in_threads(self, work: Any, items: Iterable[Any], size: int) -> list[Any]:
        label = self._wish.pin.label
        return in_threads(
            work,
            items,
            parallel=PARALLEL,
            halt=self._halt,
            meanwhile=lambda: self._tell(Moved(label, sum(tuple(self._sent.values())), size)),
        )

    def _passed(self, path: str, sent: int) -> None:
        """So much of a file is on its way; an upload that is tried again begins anew."""
        self._sent[path] = sent
        self._go_on()

    def _go_on(self) -> None:
        if self._stop.is_set() or self._halt.is_set():
            raise FetchStopped(
                f"{self._wish.pin.label}: stopped. What was uploaded is not uploaded again: the "
                "same command goes on from there."
            )

    def _manifest(self, files: Iterable[ManifestFile]) -> Manifest:
        wish = self._wish
        described: Mapping[str, Any] = {
            "release": wish.pin.name,
            "revision": wish.pin.revision,
            "dtype": wish.dtype,
            "licence": wish.licence,
            "origin": wish.origin.words,
            "conversion": wish.conversion,
            "files": tuple(sorted(files, key=lambda file: file.path)),
        }
        manifest = Manifest.model_validate(described)
        if why := wish.pin.why_not(manifest):
            raise WeightsError(
                f"What was made of {wish.origin.words} is not {wish.pin.label}: {why}. It is not "
                "published: correct the release, or take the folder that it pins."
            )
        return manifest

    def _create(self, manifest: Manifest) -> None:
        key = self._mirror.key(self._wish.pin, MANIFEST_NAME)
        if self._mirror.store.create(key, manifest.to_bytes()):
            return
        published = self._mirror.find(self._wish.pin)  # by somebody else, or before
        if published is None or published.digest != manifest.digest:
            raise WeightsError(
                f"{self._mirror.address(self._wish.pin)} lists other files than those that were "
                "made now. Mirror under another revision, or remove what is there."
            )

    def _published(self, manifest: Manifest, *, uploaded_bytes: int) -> Published:
        return Published(
            self._wish.pin.label,
            revision=manifest.revision,
            content=manifest.digest,
            address=self._mirror.address(self._wish.pin),
            files=len(manifest.files),
            size_bytes=manifest.size_bytes,
            uploaded_bytes=uploaded_bytes,
        )


def _words(conversion: Conversion | None) -> str:
    if conversion is None:
        return "unconverted"
    types = f"bfloat16 in {', '.join(conversion.bfloat16)}" if conversion.bfloat16 else "as it was"
    kept = f" but for {', '.join(conversion.keep)}" if conversion.keep else ""
    return f"{types}{kept}, files of {conversion.shard_bytes / GB:g} GB"
