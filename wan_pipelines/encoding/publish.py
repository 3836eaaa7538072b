"""From checked files to objects in the store."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from wan_pipelines.encoding.probe import probe
from wan_pipelines.encoding.renditions import RenditionFile
from wan_pipelines.storage import ObjectStore
from wan_pipelines.storage.keys import video_key


def publish(
    store: ObjectStore, tenant: str, render_key: str, take_id: str, files: Mapping[str, Path]
) -> tuple[RenditionFile, ...]:
    """Store a take's files (by rendition name) and return what is now known of each.

    Every file is probed before the first is stored. Raises EncodeError if one is damaged and
    StorageError if the store does not take it.
    """
    probes = {name: probe(path) for name, path in files.items()}
    published: list[RenditionFile] = []
    for name, found in probes.items():
        path = files[name]
        key = video_key(tenant, render_key, take_id, path.name)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        info = store.put_file(key, path)
        published.append(
            RenditionFile(
                name=name,
                key=key,
                uri=store.uri(key),
                sha256=sha256,
                size_bytes=info.size_bytes,
                codec=found.codec,
                width=found.width,
                height=found.height,
                fps=float(found.fps),
                frames=found.frames,
                duration_seconds=found.duration_seconds,
                signature=info.signature,
            )
        )
    return tuple(published)
