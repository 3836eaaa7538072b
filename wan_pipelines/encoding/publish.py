"""From checked files to objects in the store."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from wan_pipelines.encoding.manifest import MANIFEST_NAME, VideoManifest
from wan_pipelines.encoding.probe import Probe, probe
from wan_pipelines.encoding.renditions import RenditionFile
from wan_pipelines.errors import StorageError
from wan_pipelines.storage import ObjectInfo, ObjectStore
from wan_pipelines.storage.keys import video_key


def publish(
    store: ObjectStore, tenant: str, render_key: str, take_id: str, files: Mapping[str, Path]
) -> tuple[RenditionFile, ...]:
    """Store a take's files (by rendition name) and return what is now known of each.

    Every file is probed before the first is stored. Raises EncodeError if one is damaged and
    StorageError if the store does not take it.
    """
    probes = {name: probe(path) for name, path in files.items()}
    return tuple(
        _put(store, name, video_key(tenant, render_key, take_id, path.name), path, probes[name])
        for name, path in files.items()
    )


def _put(store: ObjectStore, name: str, key: str, path: Path, found: Probe) -> RenditionFile:
    stored = store.put_file(key, path)
    return RenditionFile(
        name=name,
        key=key,
        uri=store.uri(key),
        sha256=stored.sha256,
        size_bytes=stored.info.size_bytes,
        codec=found.codec,
        width=found.width,
        height=found.height,
        fps=float(found.fps),
        frames=found.frames,
        duration_seconds=found.duration_seconds,
        signature=stored.info.signature,
    )


def manifest_key(tenant: str, render_key: str, take_id: str) -> str:
    """Where the manifest of a take lies: in the folder of its renditions."""
    return video_key(tenant, render_key, take_id, MANIFEST_NAME)


def publish_manifest(store: ObjectStore, manifest: VideoManifest) -> ObjectInfo:
    """Store the manifest beside its video, replacing an earlier one (before it was charged)."""
    key = manifest_key(manifest.tenant, manifest.render_key, manifest.take_id)
    return store.put_bytes(key, manifest.to_text().encode())


def read_manifest(store: ObjectStore, key: str) -> VideoManifest:
    """Read a manifest; raises StorageError if it is missing or is none."""
    text = store.read_bytes(key)
    try:
        return VideoManifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise StorageError(
            f"{store.uri(key)} is no video manifest: {where}: {first['msg']}. "
            "Render the shot again, or restore the file."
        ) from error
