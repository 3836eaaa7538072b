"""Where weights come from: the package itself, a folder, or a model hub.

A source answers one question, `ensure(cache)`: the folder on this machine that holds the weights,
with its manifest.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Protocol

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.manifest import Manifest

FREE_DISK_MARGIN = 1.05


@dataclass(frozen=True, slots=True)
class WeightsFolder:
    """Weights on this machine; `verified` if their digests are known to be right."""

    path: Path
    manifest: Manifest
    verified: bool = False


class WeightsSource(Protocol):
    """Somewhere weights can be had from."""

    def ensure(self, cache: Path, /) -> WeightsFolder:
        """The weights as a local folder, fetched into `cache` if need be; WeightsError if not."""
        ...

    def present(self, cache: Path, /) -> Path | None:
        """Where the weights lie on this machine already; nothing is fetched, opened or verified."""
        ...


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder that somebody else keeps; it is read where it lies."""

    path: Path

    def ensure(self, _cache: Path, /) -> WeightsFolder:
        return WeightsFolder(self.path, Manifest.read(self.path))

    def present(self, _cache: Path, /) -> Path | None:
        return self.path if self.path.is_dir() else None


@dataclass(frozen=True, slots=True)
class PackagedSource:
    """A checkpoint that is shipped inside this package."""

    name: str

    @property
    def path(self) -> Path:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", self.name):
            raise WeightsError(f"{self.name!r} is not the name of a packaged checkpoint.")
        folder = Path(str(resources.files("wan_pipelines.weights"))) / "checkpoints" / self.name
        if not folder.is_dir():
            known = sorted(path.name for path in folder.parent.glob("*/"))
            raise WeightsError(
                f"There is no packaged checkpoint {self.name!r}. "
                f"This installation has: {', '.join(known) or 'none'}."
            )
        return folder

    def ensure(self, cache: Path, /) -> WeightsFolder:
        return FolderSource(self.path).ensure(cache)

    def present(self, _cache: Path, /) -> Path | None:
        return self.path


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository of the Hugging Face hub at a pinned commit.

    Files arrive in a folder named `.part`, where an interrupted download goes on the next time, and
    appear under the final name only when they are whole and in the manifest.
    """

    release: str
    repository: str
    revision: str
    dtype: str
    allow_patterns: tuple[str, ...]
    size_bytes: int
    allow_download: bool = False

    def folder(self, cache: Path) -> Path:
        """Its name says repository, commit and (by a digest) which files of them."""
        patterns = hashlib.sha256("\n".join(self.allow_patterns).encode()).hexdigest()
        return cache / f"{self.repository.replace('/', '--')}@{self.revision[:12]}-{patterns[:8]}"

    def ensure(self, cache: Path, /) -> WeightsFolder:
        folder = self.folder(cache)
        if not folder.is_dir():
            self._check_permission(folder)
            cache.mkdir(parents=True, exist_ok=True)
            with _one_at_a_time(folder):
                if not folder.is_dir():
                    self._fetch(folder)
        manifest = Manifest.read(folder)
        if manifest.revision != self.revision:
            raise WeightsError(
                f"{folder} holds revision {manifest.revision}, not {self.revision}. Delete the "
                "folder; it is fetched again."
            )
        return WeightsFolder(folder, manifest)

    def present(self, cache: Path, /) -> Path | None:
        folder = self.folder(cache)
        return folder if folder.is_dir() else None

    def _check_permission(self, folder: Path) -> None:
        if not self.allow_download:
            raise WeightsError(
                f"The weights of {self.release} ({self.repository} at {self.revision[:12]}, "
                f"{self.size_bytes / 1e9:.1f} GB) are not at {folder}, and downloads are not "
                "allowed here. Set `allow_download: true` in the environment, or copy the folder."
            )

    def _fetch(self, folder: Path) -> None:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError

        part = folder.with_name(folder.name + ".part")
        part.mkdir(exist_ok=True)
        self._check_disk(part)
        try:
            snapshot_download(
                self.repository,
                revision=self.revision,
                allow_patterns=list(self.allow_patterns),
                local_dir=part,
            )
        except (HfHubHTTPError, HFValidationError, OSError) as error:
            raise WeightsError(
                f"{self.repository} at {self.revision} could not be fetched: {error}. What has "
                f"arrived is kept in {part}; the next attempt goes on from there."
            ) from error
        shutil.rmtree(part / ".cache", ignore_errors=True)
        manifest = Manifest.build(
            part, release=self.release, dtype=self.dtype, revision=self.revision
        )
        manifest.write(part)
        part.rename(folder)

    def _check_disk(self, part: Path) -> None:
        here = sum(path.stat().st_size for path in part.rglob("*") if path.is_file())
        needed = int((self.size_bytes - here) * FREE_DISK_MARGIN)
        free = shutil.disk_usage(part).free
        if free < needed:
            raise WeightsError(
                f"{self.release} needs {needed / 1e9:.1f} GB more, and {part.parent} has "
                f"{free / 1e9:.1f} GB free. Free space, or point the cache at another disk."
            )


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    from filelock import FileLock

    with FileLock(folder.with_name(folder.name + ".lock")):
        yield
